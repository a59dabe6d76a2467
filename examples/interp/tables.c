/* tables.c: hash tables, by eqv? or by equal?, strong or with weak keys; and the table of symbols.
 *
 *     index     0 3 0 1 0 2 0 0          where a key's hash leads: 1 + the number of its entry, 0 for none
 *     entries   (k v) (k v) (k v)        in the order of their coming
 *
 * A removed entry keeps its place, with NOTHING for its key, until the table is made anew. A weak table's entries are
 * ephemerons: the value lives as long as the key lives elsewhere, even if it leads back to the key, and the key of a
 * dead entry is NOTHING. The table of symbols has no values, so weak words are enough for it. Objects never move, so
 * their addresses are good hashes.
 */
#include "memory.h"

#include <string.h>

struct table {
    uintptr_t header;
    enum equality equality;
    bool weak;
    size_t used, capacity, mask;             /* entries, room for entries, the index's size less one */
    uint32_t *index;
    struct entry *entries;
};

#define table_of(v) ((struct table *)object_of(v))

/* In the table of symbols a symbol is its name. */
static value identity(const struct table *table, value key) {
    return table->equality == BY_NAME && is(T_SYMBOL, key) ? symbol_of(key)->name : key;
}

static size_t hash_of(const struct table *table, value key) {
    key = identity(table, key);
    size_t hash = table->equality != BY_EQV || is_real(key) ? hash_equal(key) : key >> 1;
    return (hash ^ hash >> 29) * 0x9e3779b97f4a7c15 >> 32;
}

static bool is_same(const struct table *table, value a, value b) {
    return table->equality == BY_EQV ? is_eqv(a, b) : is_equal(identity(table, a), identity(table, b));
}

/* The key's entry, or NULL; *at is then the free place of the index that its hash leads to. */
static struct entry *find_entry(const struct table *table, value key, size_t *at) {
    for (size_t i = hash_of(table, key) & table->mask;; i = (i + 1) & table->mask) {
        *at = i;
        if (table->index[i] == 0)
            return NULL;
        struct entry *entry = &table->entries[table->index[i] - 1];
        value k = entry->key;
        if (k == key || (k != NOTHING && is_same(table, k, key)))
            return entry;
    }
}

static void entry_set(const struct table *table, struct entry *entry, value key, value v) {
    entry->value = v;
    if (table->weak)
        weak_set(&entry->key, key);
    else
        entry->key = key;
}

static struct entry *entries_new(const struct table *table, size_t count) {
    if (!table->weak)
        return scanned(count * sizeof(struct entry));
    return table->equality == BY_NAME ? (struct entry *)weak_new(3 * count) : ephemerons_new(count);
}

static size_t count_living(const struct table *table) {
    size_t living = 0;
    for (size_t i = 0; i < table->used; i++)
        living += table->entries[i].key != NOTHING;
    return living;
}

/* Makes the table anew, with twice as much room as the living need. */
static void rebuild(struct table *table) {
    struct table fresh = *table;
    fresh.capacity = 8;
    for (size_t living = count_living(table); fresh.capacity < 2 * living;)
        fresh.capacity *= 2;
    size_t size = 2 * fresh.capacity;
    fresh.mask = size - 1;
    fresh.index = memset(plain(size * sizeof *fresh.index), 0, size * sizeof *fresh.index);
    fresh.entries = entries_new(table, fresh.capacity);
    fresh.used = 0;
    for (size_t i = 0; i < table->used; i++) {
        size_t at;
        struct entry entry = table->entries[i];
        if (entry.key == NOTHING)
            continue;
        find_entry(&fresh, entry.key, &at);
        entry_set(&fresh, &fresh.entries[fresh.used++], entry.key, entry.value);
        fresh.index[at] = (uint32_t)fresh.used;
    }
    *table = fresh;
}

value make_table(enum equality equality, bool weak) {
    struct table *table = scanned(sizeof *table);
    *table = (struct table){.header = HEADER(T_TABLE, 0), .equality = equality, .weak = weak};
    rebuild(table);
    return of(table);
}

value table_get(value t, value key, value otherwise) {
    size_t at;
    const struct entry *entry = find_entry(table_of(t), key, &at);
    return entry == NULL ? otherwise : table_of(t)->equality == BY_NAME ? entry->key : entry->value;
}

void table_put(value t, value key, value v) {
    struct table *table = table_of(t);
    if (table->used == table->capacity)
        rebuild(table);
    size_t at;
    struct entry *entry = find_entry(table, key, &at);
    if (entry != NULL) {
        entry->value = v;
        return;
    }
    entry_set(table, &table->entries[table->used], key, v);
    table->index[at] = (uint32_t)++table->used;
}

/* ---- procedures; the prelude makes the others of these ------------------------------------------------------------- */

static struct table *need_table(value v) { return table_of(need(T_TABLE, v)); }

PRIMITIVE(p_make_table, "%make-table", 2, 2) {
    return make_table(arg[0] != FALSE ? BY_EQUAL : BY_EQV, arg[1] != FALSE);
}

QUESTION(p_is_table, "hash-table?", is(T_TABLE, v))
PRIMITIVE(p_count, "hash-table-count", 1, 1) { return fixnum((intptr_t)count_living(need_table(arg[0]))); }

PRIMITIVE(p_ref_default, "hash-table-ref/default", 3, 3) {
    return table_get(need(T_TABLE, arg[0]), arg[1], arg[2]);
}

PRIMITIVE(p_set, "hash-table-set!", 3, 3) {
    if (need_table(arg[0])->weak && !is_pair(arg[1]) && !is_object(arg[1]))
        fail_type("a key that can die", arg[1]);
    return table_put(arg[0], arg[1], arg[2]), UNSPECIFIED;
}

PRIMITIVE(p_delete, "hash-table-delete!", 2, 2) {
    size_t at;
    struct entry *entry = find_entry(need_table(arg[0]), arg[1], &at);
    if (entry != NULL)
        entry_set(table_of(arg[0]), entry, NOTHING, NOTHING);
    return boolean(entry != NULL);
}

PRIMITIVE(p_clear, "hash-table-clear!", 1, 1) {
    need_table(arg[0])->used = 0;
    return rebuild(table_of(arg[0])), UNSPECIFIED;
}

/* (key . value) of each living entry, oldest first. */
PRIMITIVE(p_to_alist, "hash-table->alist", 1, 1) {
    const struct table *table = need_table(arg[0]);
    value items = NIL;
    for (size_t i = table->used; i-- > 0;) {
        struct entry entry = table->entries[i];
        if (entry.key != NOTHING)
            items = cons(cons(entry.key, entry.value), items);
    }
    return items;
}
