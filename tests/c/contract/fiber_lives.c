/* How long what a fiber holds lives: until it is freed, or as long as its handle is reached, and not a word more. */
#include "fibers.h"

enum { STACK_BYTES = 32 << 10 };

struct object {
    struct object *next;
    size_t number;
};

static gc_weak *cells[MANY], *stack_cells[MANY];
static struct coroutine *coroutines;
static void *stacks;
static size_t finalized;

static void *stack_of(size_t i)
{
    return (char *)stacks + i * STACK_BYTES;
}

/* Pages that are new: no word is left, and none is written to a stack that a checker of memory takes for dead. */
static void clear_stacks(void)
{
    CHECK(madvise(stacks, MANY * (size_t)STACK_BYTES, MADV_DONTNEED) == 0, "madvise: %s", strerror(errno));
}

static NOINLINE struct object *make(size_t number)
{
    struct object *object = gc_malloc(sizeof *object);
    object->number = number;
    cells[number] = observe(object);
    return object;
}

static void holds_one(struct coroutine *c, void *argument)
{
    struct object *object = make((size_t)argument);
    yield_from(c);
    use(object);
}

static void holds_one_and_itself(struct coroutine *c, void *argument)
{
    gc_fiber *volatile own_handle = gc_fiber_current();
    holds_one(c, argument);
    use(own_handle);
}

/* All that is there of the object is where it ends. */
static void holds_an_end(struct coroutine *c, void *argument)
{
    char *end = (char *)make((size_t)argument) + sizeof(struct object);
    yield_from(c);
    use(end);
}

/* While it runs nothing but that keeps the fiber's handle. */
static void loses_its_handle(struct coroutine *c, void *argument)
{
    gc_weak *handle = observe(fiber_of(c));
    clear_stack(1);
    gc_collect();
    CHECK(gc_weak_get(handle) == fiber_of(c), "the handle of fiber %zu has died while the fiber runs", (size_t)argument);
    gc_weak_unregister(handle);
    yield_from(c);
}

/* Leaves addresses in the dead part of the stack, below where it yields. */
static NOINLINE void leave_dead_words(size_t number)
{
    struct object *volatile words[64];
    struct object *object = make(number);
    for (size_t i = 0; i < 64; i++)
        words[i] = object;
    use((const void *)words);
}

/* So far below that no frame of a yield reaches them. */
static NOINLINE void leave_dead_words_below(size_t number)
{
    volatile char room[1024];
    memset((void *)room, 0, sizeof room);
    leave_dead_words(number);
    use((const void *)room);
}

static void leaves_dead_words(struct coroutine *c, void *argument)
{
    leave_dead_words_below((size_t)argument);
    yield_from(c);
}

static void start_all(enum gc_fiber_life life, void (*body)(struct coroutine *, void *))
{
    for (size_t i = 0; i < MANY; i++) {
        make_coroutine(&coroutines[i], &WAYS[i % WAYS_COUNT], stack_of(i), STACK_BYTES, life, body, (void *)i);
        resume(&coroutines[i]);
    }
}

static void end_cells(void)
{
    for (size_t i = 0; i < MANY; i++)
        gc_weak_unregister(cells[i]);
    clear_stacks();
}

static void expect_dead(gc_weak **those, const char *what)
{
    gc_collect();
    CHECK(cleared(those, MANY) >= MOST(MANY), "%s: only %zu of %d have died", what, cleared(those, MANY), MANY);
}

static void expect_alive(const char *what)
{
    gc_collect();
    CHECK(cleared(cells, MANY) == 0, "%s: %zu of %d have died", what, cleared(cells, MANY), MANY);
}

/* ---- Roots: the handles are nowhere to be seen. */
static void start_roots(void)
{
    start_all(GC_FIBER_ROOT, holds_one);
}

static void free_all(void)
{
    for (size_t i = 0; i < MANY; i++)
        gc_fiber_free(fiber_of(&coroutines[i]));
    /* With the malloc door it is memory like any other from here. */
    clear_stacks();
}

/* ---- Objects. */
static void start_objects(void)
{
    start_all(GC_FIBER_OBJECT, holds_one);
}

static void start_self_holders(void)
{
    start_all(GC_FIBER_OBJECT, holds_one_and_itself);
}

static void start_holders_of_ends(void)
{
    start_all(GC_FIBER_ROOT, holds_an_end);
}

static void start_one_without_handle(void)
{
    make_coroutine(&coroutines[0], &WAYS[0], stack_of(0), STACK_BYTES, GC_FIBER_OBJECT, loses_its_handle, NULL);
    /* Known to the coroutine alone, complemented. */
    clear_stack(4);
    resume(&coroutines[0]);
}

static void start_leavers(void)
{
    start_all(GC_FIBER_ROOT, leaves_dead_words);
}

/* ---- Data, and a stack on the heap. */
static gc_fiber *volatile handles[MANY];

static void make_with_data(void)
{
    for (size_t i = 0; i < MANY; i++) {
        void *stack = gc_malloc_atomic(STACK_BYTES);
        stack_cells[i] = observe(stack);
        handles[i] = gc_fiber_new(stack, STACK_BYTES, NULL, make(i), GC_FIBER_OBJECT);
    }
}

/* ---- Arguments on a stack that has not run. */
static void make_with_first_frame(void)
{
    for (size_t i = 0; i < MANY; i++) {
        void **sp = (void **)((char *)stack_of(i) + STACK_BYTES) - 2;
        sp[-1] = NULL;
        sp[1] = make(i);
        handles[i] = gc_fiber_new(stack_of(i), STACK_BYTES, sp, NULL, GC_FIBER_ROOT);
    }
}

/* ---- A finalizer that gives the stack's memory back, and says nothing else. */
static gc_weak *seen_by_finalizer[MANY];

static void unmap_stack(void *handle, void *data)
{
    size_t i = (size_t)data;
    CHECK(handle != NULL, "no handle");
    /* What the fiber holds is whole while the finalizer runs. */
    CHECK(gc_weak_get(seen_by_finalizer[i]) != NULL, "what fiber %zu held is gone before its finalizer has run", i);
    CHECK(munmap(coroutines[i].stack, STACK_BYTES) == 0, "munmap: %s", strerror(errno));
    if (++finalized % 100 == 0)
        gc_collect();
}

static void start_finalized(void)
{
    for (size_t i = 0; i < MANY; i++) {
        gc_fiber *fiber;
        void *stack = map(STACK_BYTES + 4096);
        CHECK(munmap((char *)stack + STACK_BYTES, 4096) == 0, "munmap: %s", strerror(errno));
        fiber = make_coroutine(&coroutines[i], &WAYS[i % WAYS_COUNT], stack, STACK_BYTES, GC_FIBER_OBJECT, holds_one,
                               (void *)i);
        CHECK(gc_finalizer_set(fiber, unmap_stack, (void *)i, GC_FINALIZER_ORDERED) == 0, "no finalizer");
        resume(&coroutines[i]);
        seen_by_finalizer[i] = gc_weak_register(gc_weak_get(cells[i]), GC_WEAK_LONG);
    }
}

int main(void)
{
    /* Saved contexts are full of addresses: behind malloc they would be searched elsewhere. */
    coroutines = gc_malloc_atomic(MANY * sizeof *coroutines);
    stacks = map(MANY * (size_t)STACK_BYTES);

    run(start_roots);
    expect_alive("roots");
    run(free_all);
    expect_dead(cells, "roots, freed");
    end_cells();

    run(start_objects);
    expect_dead(cells, "objects whose handles are forgotten");
    end_cells();

    run(start_self_holders);
    expect_dead(cells, "objects whose own stacks hold their handles");
    end_cells();

    run(start_holders_of_ends);
    expect_alive("objects that end where a word says");
    run(free_all);
    expect_dead(cells, "ends on freed fibers");
    end_cells();

    run(start_one_without_handle);
    clear_stacks();

    run(start_leavers);
    expect_dead(cells, "words below the stack pointer");
    run(free_all);
    end_cells();

    run(make_with_data);
    expect_alive("data of fibers");
    CHECK(cleared(stack_cells, MANY) == 0, "%zu stacks of reachable fibers have died", cleared(stack_cells, MANY));
    for (size_t i = 0; i < MANY; i++)
        handles[i] = NULL;
    expect_dead(cells, "data of forgotten fibers");
    expect_dead(stack_cells, "stacks of forgotten fibers");
    end_cells();

    run(make_with_first_frame);
    expect_alive("first frames");
    for (size_t i = 0; i < MANY; i++) {
        gc_fiber_free(handles[i]);
        handles[i] = NULL;
    }
    clear_stacks();
    expect_dead(cells, "first frames of freed fibers");
    end_cells();

    run(start_finalized);
    gc_collect();
    gc_collect();
    clear_stack(16);
    gc_collect();
    CHECK(finalized >= MOST(MANY), "only %zu of %d finalizers have run", finalized, MANY);
    expect_dead(cells, "what finalized fibers held");
    return 0;
}
