/* A random walk over the functions of gc.h, on several threads.  Beside the heap each thread keeps a model of it: what its
 * objects lead to, and so which of them can be reached.  Of those nothing may change, no link be cleared and no finalizer
 * run, also in a child of a fork.
 *
 *     walk [seed [steps]]
 */
#define GC_THREADS
#include "check.h"
#include <gc_disclaim.h>
#include <gc_gcj.h>
#include <gc_inline.h>
#include <gc_typed.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 3, ROUNDS = 3, SLOTS = 200, POINTERS = 3, STEPS = 1500, DEADLINE_S = 150 };

enum type { SCANNED, ATOMIC, UNCOLLECTABLE, TYPED, LONG_TYPED, ARRAY, GCJ, TRACED, FINALIZED, OFF_PAGE, DEBUG, ALIGNED, CHAINED, TYPES };

/* Only what its type says are pointers keeps anything: the words of `pointers`. */
struct object {
    void *table;
    GC_word number;
    struct object *pointers[POINTERS];
    GC_word pattern;
};

/* What the model knows of an object. */
struct slot {
    GC_word hidden; /* where it is; zero: there is none */
    GC_word number; /* whose it is, its slot, and how many there were before */
    size_t bytes;
    enum type type;
    int is_held, is_finalizable, is_reached;
    int targets[POINTERS]; /* slots, or -1 */
    int has_short, has_long;
    GC_word short_link, long_link;
};

/* The slots lie outside the heap.  Objects in the first half of them are held by a range of roots, the others by an object
 * that is not collected. */
struct walk {
    unsigned seed;
    GC_word index, made;
    struct slot *slots;
    struct object **range, **table;
};

static struct walk walks[THREADS];
static int steps = STEPS;
static GC_descr typed, long_typed, element;
static int traced_kind;
static void *gcj_table[2];

static int below(struct walk *walk, int end) {
    walk->seed = walk->seed * 1664525u + 1013904223u;
    return (int)((walk->seed >> 8) % (unsigned)end);
}

static GC_word pattern_of(GC_word number) {
    return ~(number * 2654435761u);
}

static struct object *at(const struct slot *slot) {
    return SEEN(slot->hidden);
}

static struct object **holder(struct walk *walk, int index) {
    return index < SLOTS / 2 ? &walk->range[index] : &walk->table[index];
}

/* ---- The model ---- */

static void reach(struct walk *walk, int index) {
    struct slot *slot = &walk->slots[index];
    if (slot->is_reached || slot->hidden == 0)
        return;
    slot->is_reached = 1;
    for (int i = 0; i < POINTERS; i++)
        if (slot->targets[i] >= 0)
            reach(walk, slot->targets[i]);
}

/* Finds what can be reached. */
static void settle(struct walk *walk) {
    for (int i = 0; i < SLOTS; i++)
        walk->slots[i].is_reached = 0;
    for (int i = 0; i < SLOTS; i++)
        if (walk->slots[i].is_held || walk->slots[i].type == UNCOLLECTABLE)
            reach(walk, i);
}

static int is_target(const struct walk *walk, int index) {
    for (int i = 0; i < SLOTS; i++)
        for (int p = 0; p < POINTERS; p++)
            if (walk->slots[i].hidden != 0 && walk->slots[i].targets[p] == index)
                return 1;
    return 0;
}

/* One that can be reached; -1: it was not found. */
static int any(struct walk *walk) {
    int index = below(walk, SLOTS);
    return walk->slots[index].is_reached ? index : -1;
}

static void judge(struct walk *walk, const char *when) {
    settle(walk);
    for (int i = 0; i < SLOTS; i++) {
        const struct slot *slot = &walk->slots[i];
        const struct object *object = at(slot);
        if (!slot->is_reached)
            continue;
        CHECK(object->number == slot->number && object->pattern == pattern_of(slot->number),
              "%s: object %#lx of type %d has changed", when, slot->number, slot->type);
        for (int p = 0; p < POINTERS; p++)
            CHECK(object->pointers[p] == (slot->targets[p] < 0 ? NULL : at(&walk->slots[slot->targets[p]])),
                  "%s: pointer %d of %#lx of type %d", when, p, slot->number, slot->type);
        CHECK(!slot->has_short || slot->short_link == slot->hidden, "%s: the short link of %#lx", when, slot->number);
        CHECK(!slot->has_long || slot->long_link == slot->hidden, "%s: the long link of %#lx", when, slot->number);
    }
}

static void empty(struct slot *slot) {
    if (slot->has_short)
        GC_unregister_disappearing_link((void **)&slot->short_link);
    if (slot->has_long)
        GC_unregister_long_link((void **)&slot->long_link);
    memset(slot, 0, sizeof *slot);
}

/* Slots of what cannot be reached and has no finalizer any more are free. */
static void forget(struct walk *walk) {
    settle(walk);
    for (int i = 0; i < SLOTS; i++) {
        struct slot *slot = &walk->slots[i];
        if (slot->hidden != 0 && !slot->is_reached && !__atomic_load_n(&slot->is_finalizable, __ATOMIC_ACQUIRE))
            empty(slot);
    }
}

/* ---- What the collector calls ---- */

static void finalize(void *p, void *data) {
    const struct object *object = p;
    GC_word number = (GC_word)data;
    struct slot *slot = &walks[number >> 56].slots[number >> 40 & 0xffff];
    CHECK(object->number == number && object->pattern == pattern_of(number), "%#lx has changed at its end", number);
    for (int i = 0; i < POINTERS; i++)
        CHECK(object->pointers[i] == NULL || object->pointers[i]->number >> 56 == number >> 56, "what %#lx leads to", number);
    CHECK(slot->number == number && slot->is_finalizable && !slot->is_held, "the end of %#lx", number);
    __atomic_store_n(&slot->is_finalizable, 0, __ATOMIC_RELEASE);
}

static void die(void *p, void *data) {
    const struct object *object = p;
    (void)data;
    CHECK(object->number == 0 || object->pattern == pattern_of(object->number), "%#lx has changed", object->number);
}

static const struct GC_finalizer_closure closure = {die, NULL};

static struct GC_ms_entry *trace(GC_word *p, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
    struct object *object = (struct object *)p;
    (void)environment;
    for (int i = 0; i < POINTERS; i++)
        top = GC_MARK_AND_PUSH(object->pointers[i], top, limit, (void **)&object->pointers[i]);
    return top;
}

/* ---- Steps ---- */

static struct object *take_chained(size_t bytes) {
    struct object *object = GC_malloc_many(bytes);
    GC_NEXT(object) = NULL;
    return object;
}

static struct object *take(enum type type, size_t bytes) {
    switch (type) {
    case ATOMIC: return memset(GC_malloc_atomic(bytes), 0, bytes);
    case UNCOLLECTABLE: return GC_malloc_uncollectable(bytes);
    case TYPED: return GC_malloc_explicitly_typed(bytes, typed);
    case LONG_TYPED: return GC_malloc_explicitly_typed(bytes + 640, long_typed);
    case ARRAY: return GC_calloc_explicitly_typed(2 + bytes / 1000, sizeof(struct object), element);
    case GCJ: return GC_gcj_malloc(bytes, gcj_table);
    case TRACED: return GC_malloc_kind(bytes, traced_kind);
    case FINALIZED: return GC_finalized_malloc(bytes, &closure);
    case OFF_PAGE: return GC_malloc_ignore_off_page(bytes + 4096);
    case DEBUG: return GC_debug_malloc(bytes, "walk.c", 1);
    case ALIGNED: return GC_memalign(64, bytes);
    case CHAINED: return take_chained(bytes);
    default: return GC_malloc(bytes);
    }
}

static __attribute__((noinline)) void make(struct walk *walk) {
    static const int most[] = {1, 8, 24, 100, 700, 3000, 9000, 70000};
    int index = below(walk, SLOTS);
    struct slot *slot = &walk->slots[index];
    struct object *object;
    if (slot->hidden != 0)
        return;
    slot->type = (enum type)below(walk, TYPES);
    slot->bytes = sizeof *object + (size_t)below(walk, most[below(walk, 8)]);
    slot->number = walk->index << 56 | (GC_word)index << 40 | ++walk->made;
    object = take(slot->type, slot->bytes);
    CHECK(object != NULL, "no memory");
    for (int i = 0; i < POINTERS; i++) {
        CHECK(object->pointers[i] == NULL && object->pattern == 0, "a new object of type %d is not zero", slot->type);
        slot->targets[i] = -1;
    }
    object->number = slot->number;
    object->pattern = pattern_of(slot->number);
    *holder(walk, index) = object;
    slot->hidden = HIDDEN(object);
    slot->is_held = 1;
}

static void let_go(struct walk *walk, int index) {
    walk->slots[index].is_held = 0;
    *holder(walk, index) = NULL;
}

static __attribute__((noinline)) void lead(struct walk *walk, int from, int pointer, int to) {
    struct slot *slot = &walk->slots[from];
    if (slot->type != ATOMIC) {
        at(slot)->pointers[pointer] = to < 0 ? NULL : at(&walk->slots[to]);
        GC_end_stubborn_change(at(slot));
        slot->targets[pointer] = to;
    }
}

static void free_one(struct walk *walk, int index) {
    struct slot *slot = &walk->slots[index];
    struct object *object = at(slot);
    /* bdwgc frees aligned objects only where they begin as all do. */
    if (slot->is_finalizable || slot->type == FINALIZED || slot->type == ALIGNED || is_target(walk, index))
        return;
    let_go(walk, index);
    if (slot->type == DEBUG)
        GC_debug_free(object);
    else
        GC_free(object);
    empty(slot);
}

static __attribute__((noinline)) void resize(struct walk *walk, int index) {
    struct slot *slot = &walk->slots[index];
    int is_plain = slot->type == SCANNED || slot->type == UNCOLLECTABLE;
    if (!is_plain || slot->is_finalizable || slot->has_short || slot->has_long || is_target(walk, index))
        return;
    slot->hidden = HIDDEN(GC_realloc(at(slot), sizeof(struct object) + (size_t)below(walk, 3000)));
    if (slot->is_held)
        *holder(walk, index) = at(slot);
}

static void attach(struct walk *walk, struct slot *slot) {
    static void (*const set[])(void *, GC_finalization_proc, void *, GC_finalization_proc *, void **) = {
        GC_register_finalizer, GC_register_finalizer_ignore_self, GC_register_finalizer_no_order, GC_register_finalizer_unreachable};
    GC_finalization_proc was = NULL;
    /* What does not begin as all objects do has none. */
    if (slot->is_finalizable || slot->type == UNCOLLECTABLE || slot->type == FINALIZED || slot->type == DEBUG || slot->type == ALIGNED)
        return;
    slot->is_finalizable = 1;
    set[below(walk, 4)](at(slot), finalize, (void *)slot->number, &was, NULL);
    CHECK(was == NULL, "%#lx had a finalizer", slot->number);
}

static void watch(struct walk *walk, struct slot *slot) {
    void *base = GC_base(at(slot));
    if (below(walk, 2) && !slot->has_short) {
        slot->short_link = slot->hidden, slot->has_short = 1;
        CHECK(GC_general_register_disappearing_link((void **)&slot->short_link, base) == GC_SUCCESS, "a short link");
    } else if (!slot->has_long) {
        slot->long_link = slot->hidden, slot->has_long = 1;
        CHECK(GC_register_long_link((void **)&slot->long_link, base) == GC_SUCCESS, "a long link");
    }
}

static void *collect(void *unused) {
    GC_gcollect();
    return unused;
}

static void *block(void *walk) {
    judge(walk, "in a blocking call");
    return GC_call_with_gc_active(collect, NULL);
}

static void *judge_locked(void *walk) {
    judge(walk, "with the lock");
    return NULL;
}

static void in_child(struct walk *walk) {
    int status;
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        alarm(DEADLINE_S);
        for (int i = 0; i < 200; i++)
            make(walk);
        GC_gcollect();
        GC_call_with_alloc_lock(judge_locked, walk);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0, "a child ended with %#x", (unsigned)status);
}

/* A step that concerns the whole walk. */
static void stride(struct walk *walk) {
    switch (below(walk, 12)) {
    case 0: GC_gcollect(); break;
    case 1: GC_do_blocking(block, walk); break;
    case 2: GC_call_with_alloc_lock(judge_locked, walk); break;
    case 3: GC_invoke_finalizers(); break;
    case 4: if (below(walk, 4) == 0) in_child(walk); break;
    case 5: GC_collect_a_little(); break;
    default: forget(walk); break;
    }
    judge(walk, "on the way");
}

static __attribute__((noinline)) void step(struct walk *walk) {
    int what = below(walk, 100), index = any(walk);
    if (what < 40)
        make(walk);
    else if (what < 45 || index < 0)
        stride(walk);
    else if (what < 65)
        lead(walk, index, below(walk, POINTERS), any(walk));
    else if (what < 80)
        let_go(walk, index);
    else if (what < 84)
        free_one(walk, index);
    else if (what < 88)
        resize(walk, index);
    else if (what < 94)
        attach(walk, &walk->slots[index]);
    else
        watch(walk, &walk->slots[index]);
    settle(walk);
}

static void *run(void *walk) {
    for (int i = 0; i < steps; i++)
        step(walk);
    judge(walk, "at the end");
    return NULL;
}

int main(int count, char **arguments) {
    unsigned seed = count > 1 ? (unsigned)strtoul(arguments[1], NULL, 0) : (unsigned)time(NULL);
    GC_word map[GC_BITMAP_SIZE(char[640])] = {0x1c};
    steps = count > 2 ? atoi(arguments[2]) : STEPS;
    printf("seed %u\n", seed);
    fflush(stdout);
    alarm(DEADLINE_S);
    GC_set_handle_fork(1);
    GC_INIT();
    GC_set_warn_proc(GC_ignore_warn_proc);
    GC_init_finalized_malloc();
    GC_init_gcj_malloc(0, NULL);
    typed = GC_make_descriptor(map, 5), element = GC_make_descriptor(map, sizeof(struct object) / sizeof(void *));
    GC_set_bit(map, 79);
    long_typed = GC_make_descriptor(map, 80);
    traced_kind = (int)GC_new_kind(GC_new_free_list(), GC_MAKE_PROC(GC_new_proc(trace), 0), 0, 1);
    gcj_table[1] = (void *)typed;
    for (int t = 0; t < THREADS; t++) {
        struct walk *walk = &walks[t];
        walk->seed = seed * 31 + (unsigned)t * 7919, walk->index = (GC_word)t;
        walk->slots = mmap(NULL, SLOTS * sizeof *walk->slots, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        walk->range = mmap(NULL, SLOTS * sizeof(void *), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(walk->slots != MAP_FAILED && walk->range != MAP_FAILED, "no memory");
        walk->table = GC_malloc_uncollectable(SLOTS * sizeof(void *));
        GC_add_roots(walk->range, walk->range + SLOTS);
    }
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[THREADS];
        for (int t = 0; t < THREADS; t++)
            CHECK(GC_pthread_create(&threads[t], NULL, run, &walks[t]) == 0, "a thread");
        for (int t = 0; t < THREADS; t++)
            CHECK(GC_pthread_join(threads[t], NULL) == 0, "its end");
    }
    return 0;
}
