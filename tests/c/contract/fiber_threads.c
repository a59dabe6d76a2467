/* Threads that take fibers from one queue and put them back: each goes on on whichever thread takes it, with all that its
 * stack holds, while others collect. */
#include "fibers.h"

#include <pthread.h>

enum { FIBERS = 300, STACK_BYTES = 32 << 10, THREADS = 4, STEPS = 60, LIST_MAX = 12 };

struct object {
    struct object *next;
    size_t number;
};

static struct coroutine *coroutines;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static size_t queue[FIBERS], queued, ended;

static NOINLINE struct object *grow(struct object *list, size_t number)
{
    struct object *object = gc_malloc(sizeof *object);
    object->next = list;
    object->number = number;
    return object;
}

static NOINLINE void check(const struct object *list, size_t number, size_t length)
{
    size_t found = 0;
    for (; list != NULL; list = list->next, found++)
        CHECK(list->number == number + length - 1 - found, "fiber %zu: object %zu of %zu has number %zu", number, found,
              length, list->number);
    CHECK(found == length, "fiber %zu: %zu objects of %zu", number, found, length);
}

/* Yields as deep as its list is long. */
static NOINLINE void step(struct coroutine *c, struct object *list, size_t number, size_t length, size_t depth)
{
    if (depth == 0) {
        yield_from(c);
        check(list, number, length);
    } else {
        step(c, list, number, length, depth - 1);
        use(list);
    }
}

static void body(struct coroutine *c, void *argument)
{
    size_t number = (size_t)argument * 1000, length = 0;
    struct object *list = NULL;
    for (int i = 0; i < STEPS; i++) {
        if (length == LIST_MAX) {
            list = NULL;
            length = 0;
        }
        list = grow(list, number + length++);
        step(c, list, number, length, length);
    }
}

static size_t take(void)
{
    size_t taken = FIBERS;
    pthread_mutex_lock(&mutex);
    if (queued > 0) {
        /* Not the last one put back: that would stay on its thread. */
        size_t index = queued * 7 / 11;
        taken = queue[index];
        queue[index] = queue[--queued];
    }
    if (ended == FIBERS)
        taken = FIBERS + 1;
    pthread_mutex_unlock(&mutex);
    return taken;
}

static void put_back(size_t taken)
{
    pthread_mutex_lock(&mutex);
    if (coroutines[taken].is_over)
        ended++;
    else
        queue[queued++] = taken;
    pthread_mutex_unlock(&mutex);
}

static void *work(void *unused)
{
    gc_fiber *own = gc_fiber_current();
    size_t taken, steps = 0;
    /* What the thread's own stack holds while the thread runs fibers. */
    struct object *mine = grow(grow(NULL, 0), 1);
    gc_weak *cell = observe(mine);
    while ((taken = take()) != FIBERS + 1) {
        if (taken == FIBERS) {
            sched_yield();
            continue;
        }
        resume(&coroutines[taken]);
        CHECK(gc_fiber_current() == own, "the thread has come back to another stack");
        CHECK(gc_weak_get(cell) == mine, "what the thread's own stack holds has died");
        check(mine, 0, 2);
        put_back(taken);
        if (++steps % 64 == 0)
            gc_collect();
    }
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS];
    coroutines = calloc(FIBERS, sizeof *coroutines);
    for (size_t i = 0; i < FIBERS; i++) {
        make_coroutine(&coroutines[i], &WAYS[i % WAYS_COUNT], map(STACK_BYTES), STACK_BYTES, GC_FIBER_ROOT, body,
                       (void *)i);
        queue[queued++] = i;
    }
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0, "no thread");
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < FIBERS; i++)
        gc_fiber_free(fiber_of(&coroutines[i]));
    gc_collect();
    return 0;
}
