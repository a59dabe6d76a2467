/* Lua's objects on gleaner's heap. This file stands in the place of Lua's collector, its file of the same name.
 *
 * Nothing is marked or swept here, no object is chained to another for a collector's sake, and nobody is told of a
 * store. What is left is what a collector cannot know of Lua:
 *
 *   where pointers are   strings have none, a table has three, a stack is live up to its top
 *   the string table     holds short strings weakly: one text is one object for as long as that object lives
 *   finalizers           __gc is Lua's code and runs where Lua allows it: the heap's finalizer only queues the object
 *
 * Weak tables are in lweak.c.
 *
 * Holds:   each object whose __gc is set and has not begun has one record, in `finobj`, then in `died` or `tobefnz`.
 * Threads: a state is used by one thread at a time; other threads may collect, and run the heap's finalizers.
 */
#define lgc_c
#define LUA_CORE

#include "lprefix.h"

#include <stddef.h>
#include <string.h>

#include "gleaner_inline.h"
#include "lua.h"

#include "ldo.h"
#include "lfunc.h"
#include "lgc.h"
#include "lmem.h"
#include "lobject.h"
#include "lstate.h"
#include "lstring.h"
#include "ltm.h"
#include "lweak.h"

/* Bytes that are allocated between two steps. */
#define STEP_BYTES ((l_mem)1 << 20)

static gc_layout table_layout;
static gc_kind stack_kind;


/* ---- Where pointers are ---------------------------------------------------------------------------------------- */

/* A stack says whose it is, so that its trace procedure finds the top. */
typedef struct {
    lua_State *owner;
    void *unused;
    StackValue slots[];
} Stack;

/* What lies above the top is stale. A Lua function's top is where its frame ends, since another thread may collect while
 * the thread's own top is old; so some stale registers count. A stack that its owner has left, or is about to move to, is
 * searched as a whole. */
static void trace_stack(void *object, size_t size, gc_tracer *tracer) {
    Stack *stack = object;
    lua_State *L = stack->owner;
    void *end = (char *)object + size;
    gc_trace_word(tracer, L);
    if (L != NULL && L->stack == stack->slots && L->ci != NULL) {
        StkId top = isLua(L->ci) && L->ci->top > L->top ? L->ci->top : L->top;
        if (top >= stack->slots && (void *)top <= end) end = top;
    }
    gc_trace_range(tracer, stack->slots, end);
}

/* `lastfree` is left out: in a new table it is the end of the node array, which is the start of a neighbour. */
__attribute__((constructor)) static void announce(void) {
    const unsigned long words = 1ul << offsetof(Table, array) / 8 | 1ul << offsetof(Table, node) / 8 |
                                1ul << offsetof(Table, metatable) / 8;
    table_layout = gc_layout_from_bitmap(&words, 64);
    stack_kind = gc_kind_new(trace_stack);
}

/* Reads a word that a collection may clear, once: what was read is not read again. */
static void *once(void *const *word) { return *(void *const volatile *)word; }

/* Turns a failed allocation into Lua's error. */
static void *checked(lua_State *L, void *block, size_t size) {
    if (l_unlikely(block == NULL)) luaM_error(L);
    G(L)->GCdebt += size;
    return block;
}

/* Tables come from the thread's own cache, without a call. */
static void *new_table(void) {
    static __thread gc_cache *tables;
    if (l_unlikely(tables == NULL)) {
        tables = gc_cache_get(sizeof(Table), GC_KIND_TYPED);
        if (tables == NULL) return gc_malloc_typed(sizeof(Table), table_layout);
    }
    return gc_cache_malloc_typed(tables, sizeof(Table), table_layout);
}

GCObject *luaC_newobj(lua_State *L, int tt, size_t size) {
    GCObject *o;
    switch (tt) {
    case LUA_VSHRSTR:
    case LUA_VLNGSTR: o = gc_malloc_atomic(size); break;
    case LUA_VTABLE: o = new_table(); break;
    case LUA_VUPVAL: o = gc_malloc_inline(sizeof(UpVal)); break;
    default: o = gc_malloc(size);
    }
    checked(L, o, size);
    o->tt = tt;
    o->marked = luaC_white(G(L));
    return o;
}

/* Room for a thread's stack, or NULL. The one before is left to the heap, for the thread still points to it. */
StkId luaC_newstack(lua_State *owner, int slots) {
    Stack *stack = gc_malloc_kind(offsetof(Stack, slots) + slots * sizeof(StackValue), stack_kind);
    if (stack == NULL) return NULL;
    stack->owner = owner;
    G(owner)->GCdebt += slots * sizeof(StackValue);
    return stack->slots;
}

/* Keeps a reserved word, which nothing else reaches. */
void luaC_fix(lua_State *L, GCObject *o) {
    global_State *g = G(L);
    FixedObject *fixed = checked(L, gc_malloc(sizeof *fixed), sizeof *fixed);
    fixed->object = o;
    fixed->next = g->fixedgc;
    g->fixedgc = fixed;
}


/* ---- The string table ------------------------------------------------------------------------------------------ */

/* Open addressing. A place is a pair of the string, held weakly, and its hash. Pairs, and not weak words: a string that
 * only an object about to be finalized holds has not died yet, or its text would soon be two objects. */

#define SMALLEST_TABLE 128
#define SMALL_TABLE 32768

/* What a string that has died leaves behind: a search goes on there. */
static char died;

static unsigned int unused_place(const stringtable *t, unsigned int h) {
    unsigned int at = h & (t->size - 1);
    while (t->place[at].key != NULL) at = (at + 1) & (t->size - 1);
    return at;
}

/* Places for what lives, and at least as many again. */
static unsigned int size_wanted(const stringtable *t) {
    unsigned int live = t->nuse - (unsigned int)gc_weak_died(t->place), size = SMALLEST_TABLE;
    while (size / 2 < live) size *= 2;
    return size;
}

/* Whether a table would be larger than all that was live: then most of its strings are dead, and the heap does not know
 * yet. It would give a larger heap the longer to fill. */
static int is_excessive(unsigned int size) {
    gc_stats stats;
    stats.size = sizeof stats;
    gc_stats_get(&stats);
    return size > SMALL_TABLE && size * sizeof(gc_pair) > stats.live_bytes_last;
}

/* Forgets the dead, and makes room. */
static void rebuild(lua_State *L, stringtable *t) {
    unsigned int size = size_wanted(t), i;
    stringtable new = {NULL, 0, 0};
    if (size > t->size && is_excessive(size)) {
        gc_collect();
        size = size_wanted(t);
    }
    new.place = gc_malloc_ephemerons(size);
    if (new.place == NULL || gc_weak_tombstone_set(new.place, &died) != 0) luaM_error(L);
    new.size = size;
    for (i = 0; i < t->size; i++) {
        void *s = once(&t->place[i].key);
        if (s != NULL && s != &died) {
            gc_pair *place = &new.place[unused_place(&new, ((TString *)s)->hash)];
            place->value = (void *)(uintptr_t)((TString *)s)->hash;
            place->key = s;
            new.nuse++;
        }
    }
    gc_free(t->place);
    *t = new;
}

/* The string of that text, or NULL; then a place is free for it. */
TString *luaC_findstr(lua_State *L, const char *text, size_t length, unsigned int h) {
    stringtable *t = &G(L)->strt;
    unsigned int at;
    if (l_unlikely(t->nuse >= t->size - t->size / 4)) rebuild(L, t);
    for (at = h & (t->size - 1); t->place[at].key != NULL; at = (at + 1) & (t->size - 1)) {
        if (t->place[at].value == (void *)(uintptr_t)h) {
            TString *s = once(&t->place[at].key);
            if (s != (void *)&died && s->shrlen == length && memcmp(text, getstr(s), length) == 0) return s;
        }
    }
    return NULL;
}

void luaC_enterstr(lua_State *L, TString *s) {
    stringtable *t = &G(L)->strt;
    gc_pair *place = &t->place[unused_place(t, s->hash)];
    place->value = (void *)(uintptr_t)s->hash;
    place->key = s;
    t->nuse++;
}


/* ---- Finalizers ------------------------------------------------------------------------------------------------ */

/* The heap's finalizer, on whatever thread: from here the record holds its object in sight. */
static void object_died(void *object, void *data) {
    Finalizable *r = data;
    Finalizable **died = &r->state->died;
    r->object = object;
    r->next_died = __atomic_load_n(died, __ATOMIC_RELAXED);
    /* Release: pairs with the acquire in take_died, which reads the record. */
    while (!__atomic_compare_exchange_n(died, &r->next_died, r, 1, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {}
}

/* A record holds the address of its object complemented: the heap does not see it, and the record outlives it not. */
static GCObject *hidden_object(const Finalizable *r) { return (GCObject *)~r->hidden; }

static void unlink_record(Finalizable *r) {
    *r->previous = r->next;
    if (r->next != NULL) r->next->previous = r->previous;
}

/* Sorts by age, the youngest first. */
static Finalizable *sorted(Finalizable *list, size_t length) {
    Finalizable *left = list, *right, *result, **at = &result;
    size_t i;
    if (length < 2) return list;
    for (i = 1; i < length / 2; i++) list = list->next_died;
    right = list->next_died;
    list->next_died = NULL;
    left = sorted(left, length / 2);
    right = sorted(right, length - length / 2);
    while (left != NULL && right != NULL) {
        Finalizable **younger = left->age > right->age ? &left : &right;
        *at = *younger;
        at = &(*younger)->next_died;
        *younger = *at;
    }
    *at = left != NULL ? left : right;
    return result;
}

/* Moves what has died to the end of what is due: Lua finalizes in the reverse order of the setting. */
static void take_died(global_State *g) {
    size_t length = 0;
    Finalizable *r, **end = &g->tobefnz;
    /* Acquire: pairs with the release in object_died. */
    Finalizable *died = __atomic_exchange_n(&g->died, NULL, __ATOMIC_ACQUIRE);
    for (r = died; r != NULL; r = r->next_died) {
        unlink_record(r);
        length++;
    }
    while (*end != NULL) end = &(*end)->next_died;
    *end = sorted(died, length);
}

void luaC_checkfinalizer(lua_State *L, GCObject *o, Table *mt) {
    global_State *g = G(L);
    Finalizable *r;
    if (o->tt == LUA_VTABLE) luaW_check(L, gco2t(o), mt);
    if (tofinalize(o) || (g->gcstp & GCSTPCLS) || gfasttm(g, mt, TM_GC) == NULL) return;
    r = checked(L, gc_malloc(sizeof *r), sizeof *r);
    r->state = g;
    r->age = ++g->ages;
    r->hidden = ~(uintptr_t)o;
    if (gc_finalizer_set(o, object_died, r, GC_FINALIZER_UNORDERED) != 0) luaM_error(L);
    r->next = g->finobj;
    r->previous = &g->finobj;
    if (r->next != NULL) r->next->previous = &r->next;
    g->finobj = r;
    l_setbit(o->marked, FINALIZEDBIT);
}

static void call_at(lua_State *L, void *place) { luaD_callnoyield(L, restorestack(L, *(ptrdiff_t *)place), 0); }

/* Calls the __gc of the first that is due; no hook and no other finalizer runs meanwhile. */
static void finalize_first(lua_State *L) {
    global_State *g = G(L);
    GCObject *o = g->tobefnz->object;
    lu_byte hooks = L->allowhook, stopped = g->gcstp;
    ptrdiff_t place = savestack(L, L->top);
    const TValue *method;
    TValue value;
    g->tobefnz = g->tobefnz->next_died;
    resetbit(o->marked, FINALIZEDBIT);
    setgcovalue(L, &value, o);
    method = luaT_gettmbyobj(L, &value, TM_GC);
    if (notm(method)) return;
    setobj2s(L, L->top, method);
    setobj2s(L, L->top + 1, &value);
    L->top += 2;
    L->allowhook = 0;
    g->gcstp |= GCSTPGC;
    L->ci->callstatus |= CIST_FIN;
    if (luaD_pcall(L, call_at, &place, place, 0) != LUA_OK) {
        luaE_warnerror(L, "__gc");
        L->top--;
    }
    L->ci->callstatus &= ~CIST_FIN;
    g->gcstp = stopped;
    L->allowhook = hooks;
}

static void finalize_due(lua_State *L) {
    global_State *g = G(L);
    /* Relaxed: only whether there is anything; take_died acquires it. */
    if (__atomic_load_n(&g->died, __ATOMIC_RELAXED) != NULL) take_died(g);
    while (g->tobefnz != NULL) finalize_first(L);
}

/* At the end of a state whatever waits for its __gc is as good as dead. */
static void finalize_all(lua_State *L) {
    global_State *g = G(L);
    Finalizable *r;
    for (r = g->finobj; r != NULL; r = r->next)
        if (gc_finalizer_clear(hidden_object(r)) == 0) object_died(hidden_object(r), r);
    finalize_due(L);
}


/* ---- What Lua asks of its collector ---------------------------------------------------------------------------- */

/* Where Lua allows anything to happen, now and then. */
void luaC_step(lua_State *L) {
    global_State *g = G(L);
    luaE_setdebt(g, -STEP_BYTES);
    if (gcrunning(g)) {
        luaD_shrinkstack(L);
        finalize_due(L);
    }
}

void luaC_stop(global_State *g, int why) {
    if ((g->gcstp & GCSTPUSR) && !(why & GCSTPUSR)) gc_enable();
    if (!(g->gcstp & GCSTPUSR) && (why & GCSTPUSR)) gc_disable();
    g->gcstp = why;
}

/* Collects even if the program has stopped what happens by itself. */
void luaC_fullgc(lua_State *L, int isemergency) {
    global_State *g = G(L);
    int why = g->gcstp;
    luaC_stop(g, why & ~GCSTPUSR);
    gc_collect();
    luaC_stop(g, why);
    if (!isemergency) finalize_due(L);
}

lu_mem luaC_count(void) {
    gc_stats stats;
    stats.size = sizeof stats;
    gc_stats_get(&stats);
    return stats.bytes_in_use;
}

/* Incremental or generational: remembered, and that is all. */
void luaC_changemode(lua_State *L, int mode) { G(L)->gckind = mode; }

/* The end of a state; its objects are left to the heap. */
void luaC_freeallobjects(lua_State *L) {
    global_State *g = G(L);
    luaC_stop(g, GCSTPCLS);
    finalize_all(L);
}
