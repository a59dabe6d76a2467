/* weak_table: a hash table with weak keys, as Lua's ephemeron tables and Java's WeakHashMap are, on gleaner.h.
 *
 *     cc -O2 -o weak_table weak_table.c $(pkg-config --cflags --libs gleaner)
 *
 * Notes are kept about objects that know nothing of them. When an object dies, its note dies with it, even though the
 * note refers to the object. The table itself is garbage like any other when nothing refers to it.
 *
 * Objects do not move, so a key's address is its hash. A key that dies becomes DELETED: searches go on behind it.
 */
#include <gleaner.h>
#include <stdint.h>
#include <stdio.h>

#define DELETED ((void *)1)

struct table {
    gc_pair *pairs;
    size_t room, used; /* a power of two; places that are not empty: living, dead or deleted */
};

/* The place of a key, or the empty one where it is missing. */
static gc_pair *find(const struct table *table, const void *key) {
    size_t place = (size_t)(((uint64_t)(uintptr_t)key >> 4) * 0x9e3779b97f4a7c15u >> 20);
    for (;; place++) {
        gc_pair *pair = &table->pairs[place & (table->room - 1)];
        if (pair->key == key || pair->key == NULL)
            return pair;
    }
}

static int make_room(struct table *table, size_t room) {
    struct table old = *table;
    gc_pair *pairs = gc_malloc_ephemerons(room);
    if (pairs == NULL)
        return 0;
    gc_weak_tombstone_set(pairs, DELETED);
    *table = (struct table){pairs, room, 0};
    for (size_t i = 0; i < old.room; i++) {
        void *key = old.pairs[i].key; /* from here on it is ours, and lives */
        if (key != NULL && key != DELETED) {
            gc_pair *pair = find(table, key);
            pair->value = old.pairs[i].value;
            pair->key = key;
            table->used++;
        }
    }
    return 1;
}

static size_t living(const struct table *table) {
    size_t count = 0;
    for (size_t i = 0; i < table->room; i++)
        count += table->pairs[i].key != NULL && table->pairs[i].key != DELETED;
    return count;
}

static int table_set(struct table *table, void *key, void *value) {
    if (table->used * 4 >= table->room * 3 && !make_room(table, table->room << (living(table) * 2 >= table->room)))
        return 0;
    gc_pair *pair = find(table, key);
    table->used += pair->key == NULL;
    pair->value = value;
    pair->key = key;
    return 1;
}

static void *table_get(const struct table *table, const void *key) {
    gc_pair *pair = find(table, key);
    return pair->key == key ? pair->value : NULL;
}

struct note {
    void *about;
    long number;
};

int main(void) {
    enum { OBJECTS = 1000000, KEPT = 1000 };
    struct table *table = gc_malloc(sizeof *table);
    void **kept = gc_malloc(KEPT * sizeof *kept);
    long wrong = 0;
    if (table == NULL || kept == NULL || !make_room(table, 16))
        return 1;
    for (long i = 0; i < OBJECTS; i++) {
        void *object = kept[i % KEPT] = gc_malloc(32); /* the one that stood there is forgotten */
        struct note *note = gc_malloc(sizeof *note);
        if (object == NULL || note == NULL || !table_set(table, object, note))
            return 1;
        *note = (struct note){object, i};
    }
    for (long i = 0; i < KEPT; i++) {
        struct note *note = table_get(table, kept[i]);
        wrong += note == NULL || note->about != kept[i] || note->number % KEPT != i;
    }
    gc_collect();
    const char *share = living(table) < OBJECTS / 50 ? "nearly all others" : "too few";
    printf("%d notes taken, %ld of %d wrong, %s forgotten\n", OBJECTS, wrong, KEPT, share);
    return 0;
}
