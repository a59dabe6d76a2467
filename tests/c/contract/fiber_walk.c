/* A random walk beside a naive twin: fibers are made, resumed from each other, let grow and forget lists on their stacks, and
 * freed or forgotten, while collections come at any time. What each list has to be, the twin knows: plain numbers in
 * memory that is not searched. SEED=N repeats a walk, STEPS=N
 * is its length. */
#include "fibers.h"

enum { FIBERS = 64, STACK_BYTES = 32 << 10, DEPTH_MAX = 30, LISTS = 3 };

struct object {
    struct object *next;
    uint64_t number;
};

/* What a fiber is to hold, as numbers: list i has length[i] objects, the newest with number newest[i]. */
struct twin {
    int is_used, is_started, is_root, is_active;
    uint64_t length[LISTS], newest[LISTS];
};

static struct twin *twins;
static struct coroutine *coroutines;
static void **stacks;
static gc_fiber *volatile handles[FIBERS];
static uint64_t seed, numbers;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed >> 11;
}

static NOINLINE struct object *grow(struct object *list, uint64_t number)
{
    struct object *object = gc_malloc(sizeof *object);
    object->next = list;
    object->number = number;
    return object;
}

static void check(const struct object *list, size_t fiber, int which)
{
    const struct twin *twin = &twins[fiber];
    uint64_t found = 0;
    for (; list != NULL; list = list->next) {
        CHECK(found < twin->length[which], "fiber %zu, list %d: more than %lu objects", fiber, which,
              (unsigned long)twin->length[which]);
        CHECK(found > 0 || list->number == twin->newest[which], "fiber %zu, list %d: begins with %lu, not %lu", fiber,
              which, (unsigned long)list->number, (unsigned long)twin->newest[which]);
        found++;
    }
    CHECK(found == twin->length[which], "fiber %zu, list %d: %lu objects of %lu", fiber, which, (unsigned long)found,
          (unsigned long)twin->length[which]);
}

static void act(size_t self);

/* Some frames down the fiber acts again, which may be to yield. */
static NOINLINE void deeper(size_t self, size_t depth)
{
    volatile char room[200];
    room[0] = 1;
    if (depth > 0)
        deeper(self, depth - 1);
    else
        act(self);
    use((const void *)room);
}

static void body(struct coroutine *c, void *argument)
{
    size_t self = (size_t)argument;
    struct object *lists[LISTS] = {NULL, NULL, NULL};
    struct twin *twin = &twins[self];
    (void)c;
    for (;;) {
        int which = (int)(next_random() % LISTS);
        if (next_random() % 8 == 0) {
            lists[which] = NULL;
            twin->length[which] = 0;
        } else {
            lists[which] = grow(lists[which], ++numbers);
            twin->length[which]++;
            twin->newest[which] = numbers;
        }
        deeper(self, next_random() % DEPTH_MAX);
        for (which = 0; which < LISTS; which++)
            check(lists[which], self, which);
        use(lists);
    }
}

/* Goes on on another parked fiber, or back to who resumed this one. */
static void act(size_t self)
{
    size_t other = (size_t)next_random() % FIBERS;
    struct twin *twin = &twins[other];
    if (next_random() % 40 == 0)
        gc_collect();
    if (other != self && twin->is_used && !twin->is_active && next_random() % 2 == 0) {
        twin->is_started = twin->is_active = 1;
        resume(&coroutines[other]);
        twin->is_active = 0;
    } else {
        yield_from(&coroutines[self]);
    }
}

static void *stack_for(size_t i)
{
    switch (i % 4) {
    case 0:
        return map(STACK_BYTES);
    case 1:
        return gc_malloc_atomic(STACK_BYTES);
    case 2:
        return gc_malloc_uncollectable(STACK_BYTES);
    default:
        return malloc(STACK_BYTES);
    }
}

static void make(size_t i)
{
    struct twin *twin = &twins[i];
    void *stack = stack_for(i);
    memset(twin, 0, sizeof *twin);
    twin->is_used = 1;
    twin->is_root = i % 4 != 1 && next_random() % 2 == 0;
    stacks[i] = i % 4 == 1 ? NULL : stack;
    handles[i] = make_coroutine(&coroutines[i], &WAYS[next_random() % WAYS_COUNT], stack, STACK_BYTES,
                                twin->is_root ? GC_FIBER_ROOT : GC_FIBER_OBJECT, body, (void *)i);
    if (twin->is_root)
        handles[i] = NULL;
}

static void end(size_t i)
{
    /* One on the heap may simply be forgotten. */
    if (stacks[i] != NULL || next_random() % 2 == 0)
        gc_fiber_free(fiber_of(&coroutines[i]));
    handles[i] = NULL;
    if (i % 4 == 0)
        munmap(stacks[i], STACK_BYTES);
    else if (i % 4 == 2)
        gc_free(stacks[i]);
    else if (i % 4 == 3)
        free(stacks[i]);
    twins[i].is_used = 0;
}

int main(void)
{
    const char *given = getenv("SEED"), *length = getenv("STEPS");
    long steps = length != NULL ? atol(length) : 6000;
    seed = given != NULL ? strtoull(given, NULL, 10) : 0x9e3779b97f4a7c15u ^ (uint64_t)time(NULL) << 20;
    printf("SEED=%lu\n", (unsigned long)seed);
    fflush(stdout);
    twins = map(FIBERS * sizeof *twins);
    coroutines = gc_malloc_atomic(FIBERS * sizeof *coroutines);
    stacks = calloc(FIBERS, sizeof *stacks);
    for (long step = 0; step < steps; step++) {
        size_t i = (size_t)next_random() % FIBERS;
        if (!twins[i].is_used) {
            make(i);
        } else if (next_random() % 16 == 0) {
            end(i);
        } else {
            twins[i].is_started = twins[i].is_active = 1;
            resume(&coroutines[i]);
            twins[i].is_active = 0;
        }
    }
    for (size_t i = 0; i < FIBERS; i++)
        if (twins[i].is_used)
            end(i);
    gc_collect();
    return 0;
}
