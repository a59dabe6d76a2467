/* Weak tables: entries that vanish with their key or their value.
 *
 * A table that gets a metatable with a __mode gives up its array and its nodes, and keeps its entries here instead.
 * Lua looks into the empty nodes, finds nothing, and asks here before it gives up; so other tables pay nothing. What it
 * gets is a copy of the value. If it then writes to the copy, Lua's barrier, which is called for black objects only,
 * says so, and the entry follows.
 *
 *   entry   | key | value | ...   pointer-free memory: says what is meant, keeps nothing
 *   keep    | key | value | ...   what keeps it: the object itself where it is strong, an ephemeron where it is weak
 *
 *   weak key, strong value    ephemeron(key, value), nothing
 *   weak key, weak value      ephemeron(key, none), ephemeron(value, none)
 *   strong key, weak value    the key, ephemeron(value, none)
 *
 * Strings and what is no object are values to Lua, and never weak.
 *
 * Holds:   an object is taken out of its ephemeron, not out of `entry`: that address may be another's by now.
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

typedef struct {
    void *key, *value;
} Keep;

/* `copy` is what Lua gets, `last` the entry it was made of. */
typedef struct WeakPart {
    unsigned int mode, size, used, last;
    Entry *entry;
    Keep *keep;
    TValue copy;
} WeakPart;

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
    if (key_may_die(w, key)) return gc_ephemeron_key(w->keep[at].key) == gcvalue(key);
    return luaV_rawequalobj(own, key);
}

static unsigned int find(const WeakPart *w, const TValue *key) {
    unsigned int at = hash(key) & (w->size - 1);
    for (; !ttisnil(&w->entry[at].key); at = (at + 1) & (w->size - 1))
        if (has_key(w, at, key)) return at;
    return NONE;
}

/* Reads an entry's value; empty when it has been removed, or has died, or its key has. */
static void read_value(const WeakPart *w, unsigned int at, TValue *value) {
    const Entry *e = &w->entry[at];
    const Keep *k = &w->keep[at];
    *value = e->value;
    if (value_may_die(w, value)) {
        value->value_.gc = gc_ephemeron_key(k->value);
        if (value->value_.gc == NULL) setempty(value);
    }
    if (key_may_die(w, &e->key)) {
        if (!(w->mode & WEAK_VALUES) && iscollectable(value)) value->value_.gc = gc_ephemeron_value(k->key);
        if (gc_ephemeron_key(k->key) == NULL) setempty(value);
    }
}

static gc_ephemeron *ephemeron(lua_State *L, const TValue *key, void *value) {
    gc_ephemeron *e = gc_ephemeron_new(gcvalue(key), value);
    if (e == NULL) luaM_error(L);
    return e;
}

/* Writes an entry whole. What keeps it comes first, so that nothing dies in between. */
static void write_entry(lua_State *L, WeakPart *w, unsigned int at, const TValue *key, const TValue *value) {
    int apart = !key_may_die(w, key) || (w->mode & WEAK_VALUES);
    void *kept_value = iscollectable(value) ? gcvalue(value) : NULL;
    Keep keep = {iscollectable(key) ? gcvalue(key) : NULL, apart ? kept_value : NULL};
    if (value_may_die(w, value)) keep.value = ephemeron(L, value, NULL);
    if (key_may_die(w, key)) keep.key = ephemeron(L, key, apart ? NULL : kept_value);
    w->keep[at] = keep;
    w->entry[at].key = *key;
    w->entry[at].value = *value;
}

static WeakPart *new_part(lua_State *L, unsigned int mode, unsigned int size) {
    unsigned int i;
    WeakPart *w = gc_malloc(sizeof *w);
    if (w == NULL) luaM_error(L);
    w->mode = mode;
    w->size = size;
    w->last = NONE;
    w->entry = gc_malloc_atomic(size * sizeof *w->entry);
    w->keep = gc_malloc(size * sizeof *w->keep);
    if (w->entry == NULL || w->keep == NULL) luaM_error(L);
    for (i = 0; i < size; i++) {
        setnilvalue(&w->entry[i].key);
        setempty(&w->entry[i].value);
    }
    return w;
}

/* Puts in a key that is not there. */
static void enter(lua_State *L, WeakPart *w, const TValue *key, const TValue *value) {
    unsigned int at = hash(key) & (w->size - 1);
    while (!ttisnil(&w->entry[at].key)) at = (at + 1) & (w->size - 1);
    write_entry(L, w, at, key, value);
    w->used++;
}

/* A part of another size or mode with what is left in this one. */
static WeakPart *rebuilt(lua_State *L, WeakPart *w, unsigned int mode) {
    unsigned int live = 0, size = SMALLEST, at;
    TValue value;
    WeakPart *new;
    for (at = 0; at < w->size; at++) {
        read_value(w, at, &value);
        live += !isempty(&value);
    }
    while (size / 2 <= live) size *= 2;
    new = new_part(L, mode, size);
    for (at = 0; at < w->size; at++) {
        TValue key = w->entry[at].key;
        read_value(w, at, &value);
        if (isempty(&value)) continue;
        if (key_may_die(w, &key)) key.value_.gc = gc_ephemeron_key(w->keep[at].key);
        if (!iscollectable(&key) || gcvalue(&key) != NULL) enter(L, new, &key, &value);
    }
    return new;
}

/* Moves an entry of the table itself. */
static void move_in(lua_State *L, WeakPart *w, const TValue *key, TValue *value) {
    if (isempty(value)) return;
    enter(L, w, key, value);
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
        move_in(L, w, &key, &t->array[i]);
    }
    for (i = 0; i < nodes; i++) {
        getnodekey(L, &key, gnode(t, i));
        move_in(L, w, &key, gval(gnode(t, i)));
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
    w->last = find(w, key);
    if (w->last == NONE) return NULL;
    read_value(w, w->last, &w->copy);
    return &w->copy;
}

void luaW_new(lua_State *L, Table *t, const TValue *key, const TValue *value) {
    WeakPart *w = part(t);
    unsigned int at = find(w, key);
    if (at != NONE) {
        write_entry(L, w, at, key, value);
        return;
    }
    if (w->used >= w->size - w->size / 4) {
        w = rebuilt(L, w, w->mode);
        t->array = (TValue *)w;
    }
    enter(L, w, key, value);
}

/* Lua has written to the copy that it got last; if it got none, it has called luaW_new. */
void luaW_store(lua_State *L, Table *t, const TValue *value) {
    WeakPart *w = part(t);
    if (w->last != NONE) {
        TValue key = w->entry[w->last].key;
        write_entry(L, w, w->last, &key, value);
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
        TValue value, own = w->entry[at].key;
        read_value(w, at, &value);
        if (isempty(&value)) continue;
        if (key_may_die(w, &own)) own.value_.gc = gc_ephemeron_key(w->keep[at].key);
        if (iscollectable(&own) && gcvalue(&own) == NULL) continue;
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
