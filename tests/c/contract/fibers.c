/* What a parked fiber holds on its stack lives, whatever memory the stack is; what a fiber held that has ended dies. */
#include "fibers.h"

enum { COUNT = 400, STACK_BYTES = 64 << 10, DEPTH_MAX = 40 };

struct object {
    size_t number;
    size_t check;
};

static gc_weak *cells[COUNT];
static struct coroutine *coroutines;

/* The only address of the object lies in a frame of this, `depth` calls down. */
static NOINLINE void hold(struct coroutine *c, size_t number, size_t depth)
{
    volatile char room[64];
    room[0] = (char)depth;
    if (depth > 0) {
        hold(c, number, depth - 1);
        use((const void *)room);
    } else {
        struct object *object = gc_malloc(sizeof *object);
        object->number = number;
        object->check = ~number;
        cells[number] = observe(object);
        yield_from(c);
        CHECK(gc_weak_get(cells[number]) == object, "the object of fiber %zu has died", number);
        CHECK(object->number == number && object->check == ~number, "the object of fiber %zu was overwritten", number);
        use(object);
    }
}

static void body(struct coroutine *c, void *argument)
{
    size_t number = (size_t)argument;
    hold(c, number, number % DEPTH_MAX);
}

static char static_stacks[COUNT][STACK_BYTES] __attribute__((aligned(16)));
static gc_fiber *volatile roots[COUNT];

enum memory { MAPPED, STATIC, MALLOC, ATOMIC, SCANNED, MEMORIES };

static void *stack_from(enum memory memory, size_t i)
{
    switch (memory) {
    case MAPPED:
        return map(STACK_BYTES);
    case STATIC:
        return static_stacks[i];
    case MALLOC:
        return malloc(STACK_BYTES);
    case ATOMIC:
        return gc_malloc_atomic(STACK_BYTES);
    default:
        return gc_malloc(STACK_BYTES);
    }
}

static void give_back(enum memory memory, void *stack)
{
    if (memory == MAPPED)
        munmap(stack, STACK_BYTES);
    if (memory == MALLOC)
        free(stack);
    if (memory == STATIC)
        memset(stack, 0, STACK_BYTES); /* static data like any other again */
}

static const struct way *way;
static enum memory memory;
static enum gc_fiber_life life;

static void start_all(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        gc_fiber *fiber = make_coroutine(&coroutines[i], way, stack_from(memory, i), STACK_BYTES, life, body, (void *)i);
        /* Kept alive by its handle alone, or not at all. */
        roots[i] = life == GC_FIBER_OBJECT ? fiber : NULL;
        resume(&coroutines[i]);
    }
}

static void end_all(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        resume(&coroutines[i]);
        CHECK(coroutines[i].is_over, "fiber %zu did not end", i);
        gc_fiber_free(fiber_of(&coroutines[i]));
        give_back(memory, coroutines[i].stack);
        memset(&coroutines[i], 0, sizeof coroutines[i]);
        roots[i] = NULL;
    }
}

static void churn(void)
{
    for (int i = 0; i < 20000; i++)
        use(gc_malloc(sizeof(struct object)));
}

int main(void)
{
    coroutines = calloc(COUNT, sizeof *coroutines);
    for (int i = 0; i < WAYS_COUNT * MEMORIES * 2; i++) {
        way = &WAYS[i % WAYS_COUNT];
        memory = (enum memory)(i / WAYS_COUNT % MEMORIES);
        life = (enum gc_fiber_life)(i / WAYS_COUNT / MEMORIES);
        run(start_all);
        run(churn);
        gc_collect();
        gc_collect();
        run(churn);
        CHECK(cleared(cells, COUNT) == 0, "%s, memory %d, life %d: %zu of %d objects of parked fibers have died", way->name,
              memory, life, cleared(cells, COUNT), COUNT);
        run(end_all);
        run(churn);
        gc_collect();
        CHECK(cleared(cells, COUNT) >= MOST(COUNT), "%s, memory %d, life %d: only %zu of %d objects have died", way->name,
              memory, life, cleared(cells, COUNT), COUNT);
        for (size_t k = 0; k < COUNT; k++)
            gc_weak_unregister(cells[k]);
    }
    return 0;
}
