/* A safe region ends when the thread leaves it, however it does, and not before.
 *
 * A trace procedure runs while all other threads stand still, but for those in a safe region. It watches a counter
 * that the thread under test raises all the time: the counter moves in a collection exactly when the thread is in a
 * region.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include "check.h"

/* How long a collection watches for a movement that must not come, and for one that has to. */
enum { CYCLES = 3, QUIET_MS = 10, PATIENT_MS = 5000 };

void __longjmp_chk(jmp_buf env, int value) __attribute__((__noreturn__));

typedef void (*leave_fn)(void);

static volatile unsigned long counter;
static volatile int counting, finished, moved;
static long watched_ms;
static sigjmp_buf out, inside;
static leave_fn leave;

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Watches the counter during a collection. */
static void watch(void *object, size_t size, gc_tracer *tracer)
{
    unsigned long before = counter;
    long end = now_ms() + watched_ms;
    (void)object;
    (void)size;
    (void)tracer;
    while (counter == before && now_ms() < end)
        sched_yield();
    moved += counter != before;
}

/* Counts until the watcher has seen enough. */
static void count(void)
{
    finished = 0;
    counting = 1;
    while (!finished)
        counter++;
    counting = 0;
}

static void *watched_thread(void *data)
{
    ((void (*)(void))data)();
    return NULL;
}

/* Whether the thread that runs `step`, which counts, is in a region while it does: in all of the collections or in
 * none. */
static int runs_during_collections(void (*step)(void))
{
    pthread_t thread;
    int i;
    moved = 0;
    CHECK(pthread_create(&thread, NULL, watched_thread, (void *)step) == 0, "no thread");
    while (!counting)
        sched_yield();
    for (i = 0; i < CYCLES; i++)
        gc_collect();
    finished = 1;
    CHECK(pthread_join(thread, NULL) == 0, "join");
    CHECK(stats().stops_abandoned == 0, "a stop was abandoned");
    CHECK(moved == 0 || moved == CYCLES, "the counter moved in %d of %d collections", moved, CYCLES);
    return moved != 0;
}

/* ---- Leaving ---- */

static void by_longjmp(void) { longjmp(out, 1); }
static void by_underscore_longjmp(void) { _longjmp(out, 1); }
static void by_siglongjmp(void) { siglongjmp(out, 1); }
static void by_checked_longjmp(void) { __longjmp_chk(out, 1); }
static void by_allocating(void) { use(gc_malloc(16)); longjmp(out, 1); }

static void on_signal(int number)
{
    (void)number;
    siglongjmp(out, 1);
}

static void raise_with(int flags)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = flags;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
    raise(SIGUSR1);
}

static void by_handler(void) { raise_with(0); }
static void by_handler_on_its_stack(void) { raise_with(SA_ONSTACK); }

static void *run_leave(void *data)
{
    leave();
    return data;
}

static void *run_nested(void *data)
{
    return gc_blocking(run_leave, data);
}

static void use_alternate_stack(void)
{
    static char memory[65536];
    stack_t stack;
    memset(&stack, 0, sizeof stack);
    stack.ss_sp = memory;
    stack.ss_size = sizeof memory;
    CHECK(sigaltstack(&stack, NULL) == 0, "sigaltstack");
}

static void out_of_one(void)
{
    use_alternate_stack();
    if (sigsetjmp(out, 1) == 0)
        gc_blocking(run_leave, NULL);
    count();
}

static void out_of_two(void)
{
    if (sigsetjmp(out, 1) == 0)
        gc_blocking(run_nested, NULL);
    count();
}

/* ---- Staying ---- */

static void *jump_inside(void *data)
{
    if (setjmp(inside) == 0)
        longjmp(inside, 1);
    count();
    return data;
}

static void *nested_inside(void *data)
{
    longjmp(inside, 1);
    return data;
}

static void *jump_to_the_outer(void *data)
{
    if (setjmp(inside) == 0)
        gc_blocking(nested_inside, data);
    count();
    return data;
}

static void *count_inside(void *data)
{
    count();
    return data;
}

static void *count_after_nested(void *data)
{
    gc_blocking(run_leave, data);
    count();
    return data;
}

static void nothing(void) {}

static void stays_plain(void) { gc_blocking(count_inside, NULL); }
static void stays_after_jump(void) { gc_blocking(jump_inside, NULL); }
static void stays_in_the_outer(void) { gc_blocking(jump_to_the_outer, NULL); }
static void stays_after_nested(void) { leave = nothing; gc_blocking(count_after_nested, NULL); }

/* ---- Using the heap inside ---- */

static void *allocate_inside(void *data)
{
    use(gc_malloc(16));
    count();
    return data;
}

static void on_signal_that_allocates(int number)
{
    (void)number;
    use(gc_malloc(16));
}

static void *allocate_in_handler(void *data)
{
    CHECK(signal(SIGUSR2, on_signal_that_allocates) != SIG_ERR, "signal");
    raise(SIGUSR2);
    count();
    return data;
}

static void allocates(void) { gc_blocking(allocate_inside, NULL); }
static void allocates_in_handler(void) { gc_blocking(allocate_in_handler, NULL); }
static void returned(void) { leave = nothing; gc_blocking(run_leave, NULL); count(); }

static void expect(const char *what, void (*step)(void), int is_inside)
{
    int found;
    watched_ms = is_inside ? PATIENT_MS : QUIET_MS;
    found = runs_during_collections(step);
    CHECK(found == is_inside, "%s: the thread is %s its region", what, found ? "still in" : "out of");
}

int main(void)
{
    static const struct {
        const char *name;
        leave_fn leave;
    } ways[] = {
        { "longjmp", by_longjmp },
        { "_longjmp", by_underscore_longjmp },
        { "siglongjmp", by_siglongjmp },
        { "__longjmp_chk", by_checked_longjmp },
        { "a handler's siglongjmp", by_handler },
        { "the siglongjmp of a handler on its own stack", by_handler_on_its_stack },
        { "allocating, then longjmp", by_allocating },
    };
    static void *volatile held;
    size_t i;
    gc_kind kind = gc_kind_new(watch);
    CHECK(kind != 0, "no kind");
    held = gc_malloc_kind(16, kind);
    CHECK(held != NULL, "no memory");

    for (i = 0; i < sizeof ways / sizeof *ways; i++) {
        leave = ways[i].leave;
        expect(ways[i].name, out_of_one, 0);
        leave = ways[i].leave;
        expect(ways[i].name, out_of_two, 0);
    }
    expect("counting inside", stays_plain, 1);
    expect("a jump inside", stays_after_jump, 1);
    expect("a jump from an inner region into the outer", stays_in_the_outer, 1);
    expect("after an inner region", stays_after_nested, 1);

    expect("an allocation inside", allocates, 0);
    expect("an allocation in a handler inside", allocates_in_handler, 0);
    expect("after a region", returned, 0);
    return 0;
}
