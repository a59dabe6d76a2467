/* Weak tables: entries that vanish with their key or their value.
 *
 * A table that gets a metatable with a __mode gives up its array and its nodes, and keeps its entries here instead.
 * Lua looks into the empty nodes, finds nothing, and asks here before it gives up; so other tables pay nothing. What it
 * gets is a copy of the value. If it then writes to the copy, Lua's barrier, which is called for black objects only,
 * says so, and the entry follows.
 *
 *   entry    | key, value | ...   pointer-free memory: says what is meant, keeps nothing
 *   strong   | key, value | ...   what is strong, where no pair has it
 *   pairs    | key, value | ...   weak keys, each with its value if that is strong: ephemerons
 *   words    | value | ...        weak values
 *
 * Strings and what is no object are values to Lua, and never weak.
 *
 * Values vanish before their finalizers run, keys after them, as Lua's manual has it.
 *
 * Holds:   an object that may have died is taken out of `pairs` and `words`, not out of `entry`: that address may be
 *          another's by now.
 *          The copy is scanned: the value that was read last stays until another is read.
 */
#define lweak_c
#define LUA_CORE

#include "lprefix.h"

#include <string.h>

#include "gleaner.h"
#include "lua.h"

#include "ldebug.h"
#include "ldo.h"
#include "lgc.h"
#include "lmem.h"
#include "lobject.h"
#include "lstate.h"
#include "lstring.h"
#include "ltable.h"
#include "ltm.h"
#include "lvm.h"
#include "lweak.h"

#define WEAK_KEYS 1
#define WEAK_VALUES 2
#define SMALLEST 8
#define NONE (~0u)

typedef struct {
    TValue key, value;
} Entry;

/* `copy` is what Lua gets, `last` the entry it was made of. */
typedef struct WeakPart {
    unsigned int mode, size, used, last;
    Entry *entry;
    struct {
        void *key, *value;
    } *strong;
    gc_pair *pairs;
    void **words;
    TValue copy;
} WeakPart;

/* Reads a word that a collection may clear, once: what was read is not read again. */
static void *once(void *const *word) { return *(void *const volatile *)word; }

/* In the place of the array, which a table without slots has no use for. */
static WeakPart *part(const Table *t) { return (WeakPart *)t->array; }

static int may_die(const TValue *v) { return iscollectable(v) && !ttisstring(v); }
static int key_may_die(const WeakPart *w, const TValue *key) { return (w->mode & WEAK_KEYS) && may_die(key); }
static int value_may_die(const WeakPart *w, const TValue *value) { return (w->mode & WEAK_VALUES) && may_die(value); }

static unsigned int hash(const TValue *key) {
    uint64_t word = (uint64_t)key->value_.i;
    switch (ttypetag(key)) {
    case LUA_VSHRSTR: word = tsvalue(key)->hash; break;
    case LUA_VLNGSTR: word = luaS_hashlongstr(tsvalue(key)); break;
    case LUA_VFALSE:
    case LUA_VTRUE: word = ttypetag(key); break;
    }
    return (unsigned int)((word * 0x9E3779B97F4A7C15u) >> 32);
}

/* Whether an entry has this key: the same bits, and not those of one that died. */
static int has_key(const WeakPart *w, unsigned int at, const TValue *key) {
    const TValue *own = &w->entry[at].key;
    if (rawtt(own) != rawtt(key)) return 0;
    if (key_may_die(w, key)) return once(&w->pairs[at].key) == gcvalue(key);
    return luaV_rawequalobj(own, key);
}

static unsigned int find(const WeakPart *w, const TValue *key) {
    unsigned int at = hash(key) & (w->size - 1);
    for (; !ttisnil(&w->entry[at].key); at = (at + 1) & (w->size - 1))
        if (has_key(w, at, key)) return at;
    return NONE;
}

/* Reads an entry; the value is empty when it has been removed, or it or its key has died. */
static void read_entry(const WeakPart *w, unsigned int at, TValue *key, TValue *value) {
    int dead = 0;
    *key = w->entry[at].key;
    *value = w->entry[at].value;
    if (key_may_die(w, key)) {
        key->value_.gc = once(&w->pairs[at].key);
        dead = key->value_.gc == NULL;
    }
    if (value_may_die(w, value)) {
        value->value_.gc = once(&w->words[at]);
        dead |= value->value_.gc == NULL;
    }
    if (dead) setempty(value);
}

/* Writes an entry whole. */
static void write_entry(WeakPart *w, unsigned int at, const TValue *key, const TValue *value) {
    void *strong_key = iscollectable(key) ? gcvalue(key) : NULL, *strong_value = iscollectable(value) ? gcvalue(value) : NULL;
    if (value_may_die(w, value)) {
        w->words[at] = strong_value;
        strong_value = NULL;
    }
    if (key_may_die(w, key)) {
        w->pairs[at].value = strong_value;
        w->pairs[at].key = strong_key;
        strong_key = strong_value = NULL;
    }
    w->strong[at].key = strong_key;
    w->strong[at].value = strong_value;
    w->entry[at].key = *key;
    w->entry[at].value = *value;
}

static void *checked(lua_State *L, void *block) {
    if (block == NULL) luaM_error(L);
    return block;
}

static WeakPart *new_part(lua_State *L, unsigned int mode, unsigned int size) {
    unsigned int i;
    WeakPart *w = checked(L, gc_malloc(sizeof *w));
    w->mode = mode;
    w->size = size;
    w->last = NONE;
    w->entry = checked(L, gc_malloc_atomic(size * sizeof *w->entry));
    w->strong = checked(L, gc_malloc(size * sizeof *w->strong));
    if (mode & WEAK_KEYS) w->pairs = checked(L, gc_malloc_ephemerons(size));
    if (mode & WEAK_VALUES) w->words = checked(L, gc_malloc_weak(size * sizeof *w->words));
    for (i = 0; i < size; i++) {
        setnilvalue(&w->entry[i].key);
        setempty(&w->entry[i].value);
    }
    return w;
}

/* Puts in a key that is not there. */
static void enter(WeakPart *w, const TValue *key, const TValue *value) {
    unsigned int at = hash(key) & (w->size - 1);
    while (!ttisnil(&w->entry[at].key)) at = (at + 1) & (w->size - 1);
    write_entry(w, at, key, value);
    w->used++;
}

/* A part of another size or mode with what is left in this one. */
static WeakPart *rebuilt(lua_State *L, WeakPart *w, unsigned int mode) {
    unsigned int live = 0, size = SMALLEST, at;
    TValue key, value;
    WeakPart *new;
    for (at = 0; at < w->size; at++) {
        read_entry(w, at, &key, &value);
        live += !isempty(&value);
    }
    while (size / 2 <= live) size *= 2;
    new = new_part(L, mode, size);
    for (at = 0; at < w->size; at++) {
        read_entry(w, at, &key, &value);
        if (!isempty(&value)) enter(new, &key, &value);
    }
    return new;
}

/* Moves an entry of the table itself. */
static void move_in(WeakPart *w, const TValue *key, TValue *value) {
    if (isempty(value)) return;
    enter(w, key, value);
    setempty(value);
}

/* Takes over the entries of a table that has just become weak. */
static void become_weak(lua_State *L, Table *t, unsigned int mode) {
    unsigned int size = SMALLEST, i, array_size = luaH_realasize(t), nodes = sizenode(t);
    TValue key;
    WeakPart *w;
    while (size / 2 <= array_size + nodes) size *= 2;
    w = new_part(L, mode, size);
    for (i = 0; i < array_size; i++) {
        setivalue(&key, i + 1);
        move_in(w, &key, &t->array[i]);
    }
    for (i = 0; i < nodes; i++) {
        getnodekey(L, &key, gnode(t, i));
        move_in(w, &key, gval(gnode(t, i)));
    }
    luaH_resize(L, t, 0, 0);
    t->array = (TValue *)w;
    t->marked = cast_byte((t->marked & ~WHITEBITS) | bitmask(BLACKBIT));
}

/* A table gets a metatable: it becomes weak, or weak otherwise, when that says so. */
void luaW_check(lua_State *L, Table *t, Table *mt) {
    const TValue *text = gfasttm(G(L), mt, TM_MODE);
    unsigned int mode = 0;
    if (text != NULL && ttisstring(text)) {
        if (strchr(svalue(text), 'k') != NULL) mode |= WEAK_KEYS;
        if (strchr(svalue(text), 'v') != NULL) mode |= WEAK_VALUES;
    }
    if (!isblack(t)) {
        if (mode != 0) become_weak(L, t, mode);
    } else if (part(t)->mode != mode) {
        t->array = (TValue *)rebuilt(L, part(t), mode);
    }
}

/* A copy of the value, empty when it has gone; NULL when there is no such key. */
const TValue *luaW_get(Table *t, const TValue *key) {
    WeakPart *w = part(t);
    TValue own;
    w->last = find(w, key);
    if (w->last == NONE) return NULL;
    read_entry(w, w->last, &own, &w->copy);
    return &w->copy;
}

void luaW_new(lua_State *L, Table *t, const TValue *key, const TValue *value) {
    WeakPart *w = part(t);
    unsigned int at = find(w, key);
    if (at != NONE) {
        write_entry(w, at, key, value);
        return;
    }
    if (w->used >= w->size - w->size / 4) {
        w = rebuilt(L, w, w->mode);
        t->array = (TValue *)w;
    }
    enter(w, key, value);
}

/* Lua has written to the copy that it got last; if it got none, it has called luaW_new. */
void luaW_store(Table *t, const TValue *value) {
    WeakPart *w = part(t);
    if (w->last != NONE) {
        TValue key = w->entry[w->last].key;
        write_entry(w, w->last, &key, value);
    }
}

int luaW_next(lua_State *L, Table *t, StkId key) {
    WeakPart *w = part(t);
    unsigned int at = 0;
    if (!ttisnil(s2v(key))) {
        at = find(w, s2v(key));
        if (at == NONE) luaG_runerror(L, "invalid key to 'next'");
        at++;
    }
    for (; at < w->size; at++) {
        TValue own, value;
        read_entry(w, at, &own, &value);
        if (isempty(&value)) continue;
        setobj2s(L, key, &own);
        setobj2s(L, key + 1, &value);
        return 1;
    }
    return 0;
}

lua_Unsigned luaW_length(Table *t) {
    TValue key;
    const TValue *value;
    lua_Unsigned n = 0;
    do {
        n++;
        setivalue(&key, (lua_Integer)n);
        value = luaW_get(t, &key);
    } while (value != NULL && !isempty(value));
    return n - 1;
}
