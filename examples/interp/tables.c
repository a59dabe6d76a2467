/* tables.c: hash tables, by eqv? or by equal?, strong or with weak keys.
 *
 *     index     0 3 0 1 0 2 0 0          where a key's hash leads: 1 + the number of its entry, 0 for none
 *     entries   (k v) (k v) (k v)        in the order of their coming
 *
 * A removed entry keeps its place, with NOTHING for its key, until the table is made anew. A weak table's entries are
 * ephemerons: the value lives as long as the key lives elsewhere, even if it leads back to the key, and the key of a
 * dead entry is NOTHING. Objects never move, so their addresses are good hashes.
 */
#include "memory.h"

#include <string.h>

struct table {
    uintptr_t header;
    bool by_equal, weak;
    size_t used, capacity, mask;             /* entries, room for entries, the index's size less one */
    uint32_t *index;
    struct entry *entries;
};

static size_t hash_of(const struct table *table, value key) {
    size_t hash = table->by_equal || is_real(key) ? hash_equal(key) : key >> 1;
    return (hash ^ hash >> 29) * 0x9e3779b97f4a7c15 >> 32;
}

/* The key's entry, or NULL; *at is then the free place of the index that its hash leads to. */
static struct entry *find_entry(const struct table *table, value key, size_t *at) {
    for (size_t i = hash_of(table, key) & table->mask;; i = (i + 1) & table->mask) {
        *at = i;
        if (table->index[i] == 0)
            return NULL;
        struct entry *entry = &table->entries[table->index[i] - 1];
        value k = entry->key;
        if (k == key || (k != NOTHING && (table->by_equal ? is_equal(k, key) : is_eqv(k, key))))
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
    fresh.entries = table->weak ? ephemerons_new(fresh.capacity) : scanned(fresh.capacity * sizeof *fresh.entries);
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

value make_table(bool by_equal, bool weak) {
    struct table *table = scanned(sizeof *table);
    table->header = HEADER(T_TABLE, 0);
    table->by_equal = by_equal;
    table->weak = weak;
    rebuild(table);
    return of(table);
}

value table_get(value t, value key, value otherwise) {
    struct table *table = (struct table *)object_of(t);
    size_t at;
    struct entry *entry = find_entry(table, key, &at);
    return entry == NULL ? otherwise : entry->value;
}

void table_put(value t, value key, value v) {
    struct table *table = (struct table *)object_of(t);
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

static struct table *need_table(value v) { return (struct table *)object_of(need(T_TABLE, v, "a hash table")); }

/* (%make-table by-equal? weak?) */
PRIMITIVE(p_make) { return make_table(arg[0] != FALSE, arg[1] != FALSE); }
PRIMITIVE(p_is_table) { return boolean(is(T_TABLE, arg[0])); }
PRIMITIVE(p_count) { return fixnum((intptr_t)count_living(need_table(arg[0]))); }

PRIMITIVE(p_ref_default) {
    need_table(arg[0]);
    return table_get(arg[0], arg[1], arg[2]);
}

PRIMITIVE(p_set) {
    if (need_table(arg[0])->weak && !is_pair(arg[1]) && !is_object(arg[1]))
        fail_type("a key that can die", arg[1]);
    table_put(arg[0], arg[1], arg[2]);
    return UNSPECIFIED;
}

PRIMITIVE(p_delete) {
    size_t at;
    struct table *table = need_table(arg[0]);
    struct entry *entry = find_entry(table, arg[1], &at);
    if (entry != NULL)
        entry_set(table, entry, NOTHING, NOTHING);
    return boolean(entry != NULL);
}

PRIMITIVE(p_clear) {
    struct table *table = need_table(arg[0]);
    table->used = 0;
    rebuild(table);
    return UNSPECIFIED;
}

/* (key . value) of each living entry, oldest first. */
PRIMITIVE(p_to_alist) {
    struct table *table = need_table(arg[0]);
    value items = NIL;
    for (size_t i = table->used; i-- > 0;) {
        struct entry entry = table->entries[i];
        if (entry.key != NOTHING)
            items = cons(cons(entry.key, entry.value), items);
    }
    return items;
}

void define_tables(void) {
    static const struct table_entry entries[] = {
        {"%make-table", p_make, 2, 2}, {"hash-table?", p_is_table, 1, 1},
        {"hash-table-ref/default", p_ref_default, 3, 3}, {"hash-table-set!", p_set, 3, 3},
        {"hash-table-delete!", p_delete, 2, 2}, {"hash-table-count", p_count, 1, 1},
        {"hash-table-clear!", p_clear, 1, 1}, {"hash-table->alist", p_to_alist, 1, 1},
    };
    DEFINE_ALL(entries);
}
