/* Where a stack is cut to be searched (pieces, pages, mappings), a word at an odd byte may lie across: a row of such words,
 * the only addresses of their objects, is all there after a collection, wherever the cuts are. On stacks of threads, whole
 * and listed as several mappings; of parked fibers; and below a handler that collects on a stack of its own. */
#define _GNU_SOURCE
#include "fibers.h"

#include <pthread.h>
#include <signal.h>

enum { ROW = 16384, SHIFT = 3, ROOM = ROW * sizeof(void *) + (32 << 10), STACK_BYTES = 512 << 10, PAGE = 4096 };

static gc_weak *cells[ROW];
static const char *where;

/* Objects whose only addresses are written to `at`, byte by byte: inside, for the first could be the end of another. */
static NOINLINE void fill(volatile unsigned char *at)
{
    size_t i, j;
    for (i = 0; i < ROW; i++) {
        void *p = gc_malloc(16);
        uintptr_t hidden = hide((char *)p + 1);
        cells[i] = observe(p);
        for (j = 0; j < sizeof p; j++)
            at[i * sizeof p + j] = (unsigned char)~(hidden >> (8 * j));
    }
}

static void check(void)
{
    size_t gone = cleared(cells, ROW), i;
    CHECK(gone == 0, "%s: %zu of %d objects are gone", where, gone, ROW);
    for (i = 0; i < ROW; i++)
        gc_weak_unregister(cells[i]);
}

/* Calls `then` below a row. */
static NOINLINE void with_row(void (*then)(void *), void *data)
{
    volatile unsigned char room[ROOM];
    volatile unsigned char *page = room + ROOM / 2;
    page += -(uintptr_t)page % PAGE;
    memset((void *)room, 0, sizeof room);
    fill(room + (16 << 10) - ((uintptr_t)room & 7) + SHIFT);
    if (strstr(where, "divided") != NULL)
        CHECK(madvise((void *)page, PAGE, MADV_DONTDUMP) == 0, "madvise: %s", strerror(errno));
    then(data);
    CHECK(madvise((void *)page, PAGE, MADV_DODUMP) == 0, "madvise: %s", strerror(errno));
    __asm__ volatile("" : : "r"(room) : "memory");
}

static void collect_here(void *unused)
{
    (void)unused;
    clear_stack(4);
    gc_collect();
    check();
}

static void on_signal(int number)
{
    (void)number;
    gc_collect();
}

static void collect_in_a_handler(void *unused)
{
    static char alternate[256 << 10];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate}, none = {.ss_flags = SS_DISABLE};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    (void)unused;
    CHECK(sigaltstack(&stack, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0, "no handler: %s", strerror(errno));
    clear_stack(4);
    raise(SIGUSR1);
    sigaltstack(&none, NULL);
    check();
}

static void *on_this_stack(void *names)
{
    const char **name = names;
    where = name[0];
    with_row(collect_here, NULL);
    where = name[1];
    with_row(collect_here, NULL);
    where = name[2];
    with_row(collect_in_a_handler, NULL);
    return names;
}

static void yield(void *coroutine)
{
    yield_from(coroutine);
}

static void holds_a_row(struct coroutine *c, void *argument)
{
    (void)argument;
    with_row(yield, c);
}

static void handles_above_a_row(struct coroutine *c, void *argument)
{
    (void)argument;
    with_row(collect_in_a_handler, c);
}

static void on_a_fiber(const char *name, const struct way *way, void (*body)(struct coroutine *, void *))
{
    static struct coroutine c;
    void *stack = map(STACK_BYTES);
    where = name;
    make_coroutine(&c, way, stack, STACK_BYTES, GC_FIBER_ROOT, body, NULL);
    resume(&c);
    if (!c.is_over) {
        gc_collect();
        check();
        resume(&c);
    }
    CHECK(c.is_over, "%s: the coroutine is not over", name);
    gc_fiber_free(fiber_of(&c));
    munmap(stack, STACK_BYTES);
}

int main(void)
{
    static const char *of_main[] = {"the main thread", "the main thread's divided stack", "the main thread, in a handler"};
    static const char *of_thread[] = {"a thread", "a thread's divided stack", "a thread, in a handler"};
    pthread_t id;
    on_this_stack(of_main);
    CHECK(pthread_create(&id, NULL, on_this_stack, of_thread) == 0 && pthread_join(id, NULL) == 0, "no thread");
    on_a_fiber("a parked fiber", &WAYS[0], holds_a_row);
    on_a_fiber("a parked fiber, by ucontext", &WAYS[1], holds_a_row);
    on_a_fiber("a fiber, in a handler", &WAYS[0], handles_above_a_row);
    return 0;
}
