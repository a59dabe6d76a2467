/* Fibers and the rest of the world: forks, threads that end, returns by uc_link, safe regions, jumps within a fiber, signal
 * handlers, stacks that are small. */
#define _GNU_SOURCE
#include "fibers.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK_BYTES = 64 << 10, SMALL_BYTES = 16 << 10, HELD = 100 };

struct object {
    size_t number;
};

static gc_weak *cells[HELD];

static NOINLINE struct object *make(size_t number)
{
    struct object *object = gc_malloc(sizeof *object);
    object->number = number;
    if (number < HELD)
        cells[number] = observe(object);
    return object;
}

static void churn(void)
{
    for (int i = 0; i < 5000; i++)
        use(make(HELD));
}

static struct coroutine *new_coroutine(size_t bytes, void (*body)(struct coroutine *, void *), size_t argument)
{
    struct coroutine *c = calloc(1, sizeof *c);
    make_coroutine(c, &WAYS[argument % WAYS_COUNT], map(bytes), bytes, GC_FIBER_ROOT, body, (void *)argument);
    return c;
}

static void end(struct coroutine *c)
{
    gc_fiber_free(fiber_of(c));
    munmap(c->stack, c->size);
    free(c);
}

static void holds_one(struct coroutine *c, void *argument)
{
    size_t number = (size_t)argument;
    struct object *object = make(number);
    for (;;) {
        yield_from(c);
        CHECK(gc_weak_get(cells[number]) == object && object->number == number, "object %zu has died", number);
    }
}

/* ---- Stacks of 16 KiB, on which collections run. */
static void collects(struct coroutine *c, void *argument)
{
    struct object *object = make((size_t)argument);
    churn();
    gc_collect();
    yield_from(c);
    churn();
    gc_collect();
    CHECK(gc_weak_get(cells[(size_t)argument]) == object, "a fiber that collects loses its own object");
}

static void small_stacks(void)
{
    struct coroutine *c[10];
    for (size_t i = 0; i < 10; i++)
        resume(c[i] = new_coroutine(SMALL_BYTES, collects, i));
    for (size_t i = 0; i < 10; i++) {
        resume(c[i]);
        CHECK(c[i]->is_over, "fiber %zu is not over", i);
        end(c[i]);
    }
}

/* ---- A return by uc_link to the thread's own stack: the fiber is lost, and what it held stays until it is freed. */
static ucontext_t linked, back;
static gc_fiber *volatile linked_fiber;

static void returns_by_link(void)
{
    struct object *volatile object = make(0);
    use(object);
}

static void jump_to_linked(void *data)
{
    (void)data;
    setcontext(&linked);
}

static void link_back(void)
{
    volatile int has_come_back = 0;
    gc_fiber *own = gc_fiber_current();
    char *stack = map(STACK_BYTES);
    linked_fiber = gc_fiber_new(stack, STACK_BYTES, NULL, NULL, GC_FIBER_ROOT);
    getcontext(&back);
    if (!has_come_back) {
        has_come_back = 1;
        getcontext(&linked);
        linked.uc_stack.ss_sp = stack;
        linked.uc_stack.ss_size = STACK_BYTES;
        linked.uc_link = &back;
        makecontext(&linked, returns_by_link, 0);
        gc_fiber_switch(linked_fiber, jump_to_linked, NULL);
        CHECK(0, "a switch that nobody comes back to has come back");
    }
    gc_collect();
    CHECK(gc_weak_get(cells[0]) != NULL, "what the fiber left behind has died before it was freed");
    CHECK(gc_fiber_current() == own, "the thread stands on its own stack, and is told otherwise");
    gc_collect();
    CHECK(gc_weak_get(cells[0]) != NULL, "what the lost fiber holds has died before it was freed");
    gc_fiber_free(linked_fiber);
    munmap(stack, STACK_BYTES);
}

/* ---- A thread that ends on a fiber. */
static struct coroutine *abandoned;

static void ends_its_thread(struct coroutine *c, void *argument)
{
    struct object *volatile object = make((size_t)argument);
    (void)c;
    use(object);
    CHECK(gc_thread_unregister() == EBUSY, "a thread that runs a fiber can be forgotten");
    syscall(60 /* exit, of this thread */, 0);
    abort();
}

static void *run_abandoned(void *unused)
{
    resume(abandoned);
    return unused;
}

static void end_thread_on_fiber(void)
{
    pthread_t thread;
    abandoned = new_coroutine(STACK_BYTES, ends_its_thread, 1);
    CHECK(pthread_create(&thread, NULL, run_abandoned, NULL) == 0, "no thread");
    pthread_join(thread, NULL);
    await_threads(1);
    gc_collect();
    CHECK(gc_weak_get(cells[1]) != NULL, "what a fiber holds whose thread has ended has died");
    end(abandoned);
}

/* ---- Forks: fibers that the child can run, and one that another thread ran. */
static int ready, over;

static void waits(struct coroutine *c, void *argument)
{
    struct object *volatile object = make((size_t)argument);
    (void)c;
    use(object);
    __atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE))
        sched_yield();
    yield_from(c);
}

static void *run_waiting(void *c)
{
    resume(c);
    return NULL;
}

static void in_child(struct coroutine *mine, struct coroutine *others)
{
    for (int i = 0; i < 3; i++) {
        churn();
        gc_collect();
        resume(mine);
    }
    CHECK(gc_weak_get(cells[3]) != NULL, "what a fiber of another thread holds has died in the child");
    gc_fiber_free(fiber_of(others));
    gc_fiber_free(fiber_of(mine));
    gc_collect();
}

static void forking(struct coroutine *c, void *argument)
{
    pid_t child = fork();
    int status;
    (void)argument;
    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (child == 0) {
        /* On a fiber still. */
        churn();
        gc_collect();
        yield_from(c);
        abort();
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with status %#x", status);
    yield_from(c);
}

static void forks(void)
{
    pthread_t thread;
    pid_t parent = getpid();
    struct coroutine *mine = new_coroutine(STACK_BYTES, holds_one, 2);
    struct coroutine *others = new_coroutine(STACK_BYTES, waits, 3);
    struct coroutine *forker = new_coroutine(STACK_BYTES, forking, 4);
    resume(mine);
    CHECK(pthread_create(&thread, NULL, run_waiting, others) == 0, "no thread");
    while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
        sched_yield();
    resume(forker);
    if (getpid() != parent) {
        in_child(mine, others);
        _exit(0);
    }
    resume(mine);
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    end(mine);
    end(others);
    end(forker);
}

/* ---- gc_blocking on a fiber, and a switch inside it. */
static void *collect_in_region(void *unused)
{
    return unused;
}

static void *yield_in_region(void *c)
{
    yield_from(c);
    return NULL;
}

static void blocks(struct coroutine *c, void *argument)
{
    struct object *object = make((size_t)argument);
    gc_blocking(collect_in_region, NULL);
    gc_blocking(yield_in_region, c);
    CHECK(gc_weak_get(cells[(size_t)argument]) == object, "what a fiber holds across gc_blocking has died");
}

static void blocking(void)
{
    struct coroutine *c = new_coroutine(STACK_BYTES, blocks, 5);
    resume(c);
    churn();
    gc_collect();
    resume(c);
    CHECK(c->is_over, "the fiber is not over");
    end(c);
}

/* ---- Jumps within a fiber. */
static jmp_buf inner;

static NOINLINE void jump_up(int depth)
{
    volatile char room[100];
    room[0] = 1;
    if (depth > 0)
        jump_up(depth - 1);
    else if (opaque(1))
        longjmp(inner, 1);
    use((const void *)room);
}

static void jumps(struct coroutine *c, void *argument)
{
    struct object *volatile object = make((size_t)argument);
    for (volatile int i = 0; i < 3; i++) {
        if (setjmp(inner) == 0)
            jump_up(5);
        yield_from(c);
        gc_collect();
        CHECK(gc_weak_get(cells[(size_t)argument]) == object, "what a fiber holds across longjmp has died");
    }
}

static void jumping(void)
{
    struct coroutine *c = new_coroutine(STACK_BYTES, jumps, 6);
    while (!c->is_over) {
        resume(c);
        gc_collect();
    }
    end(c);
}

/* ---- A handler on an alternate stack that interrupts a fiber, while another thread collects. */
static size_t collect_now, collected;

static void on_signal(int signal)
{
    (void)signal;
    __atomic_store_n(&collect_now, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&collected, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void *collect_once(void *unused)
{
    while (!__atomic_load_n(&collect_now, __ATOMIC_ACQUIRE))
        sched_yield();
    gc_collect();
    __atomic_store_n(&collected, 1, __ATOMIC_RELEASE);
    return unused;
}

static void is_interrupted(struct coroutine *c, void *argument)
{
    struct object *object = make((size_t)argument);
    (void)c;
    raise(SIGUSR1);
    CHECK(gc_weak_get(cells[(size_t)argument]) == object, "what an interrupted fiber holds has died");
}

static void interrupting(void)
{
    pthread_t thread;
    struct sigaction action;
    stack_t alternate;
    struct coroutine *c = new_coroutine(STACK_BYTES, is_interrupted, 7);
    memset(&alternate, 0, sizeof alternate);
    alternate.ss_sp = map(64 << 10);
    alternate.ss_size = 64 << 10;
    CHECK(sigaltstack(&alternate, NULL) == 0, "no alternate stack");
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_ONSTACK;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0, "no handler");
    CHECK(pthread_create(&thread, NULL, collect_once, NULL) == 0, "no thread");
    resume(c);
    pthread_join(thread, NULL);
    end(c);
}

/* ---- Finalizers that run on a fiber, and switch to another. */
static struct coroutine *switched_to;
static size_t finalized;

static void finalizer(void *object, void *data)
{
    (void)object, (void)data;
    finalized++;
    if (switched_to != NULL)
        resume(switched_to);
    gc_collect();
}

static void drops_finalizable(void)
{
    for (int i = 0; i < MANY; i++)
        CHECK(gc_finalizer_set(make(HELD), finalizer, NULL, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
}

static void runs_finalizers(struct coroutine *c, void *argument)
{
    struct object *object = make((size_t)argument);
    (void)c;
    drops_finalizable();
    gc_collect();
    CHECK(gc_weak_get(cells[(size_t)argument]) == object, "what a fiber holds that runs finalizers has died");
}

static void finalizing(void)
{
    struct coroutine *c = new_coroutine(STACK_BYTES, runs_finalizers, 8);
    switched_to = new_coroutine(STACK_BYTES, holds_one, 9);
    resume(switched_to);
    resume(c);
    CHECK(c->is_over, "the fiber is not over");
    CHECK(finalized >= MOST(MANY), "only %zu finalizers of %d have run", finalized, MANY);
    end(c);
    end(switched_to);
    switched_to = NULL;
}

int main(void)
{
    /* First: stacks of threads that have ended stay mapped, and behind malloc they are searched. */
    run(finalizing);
    run(small_stacks);
    run(link_back);
    run(end_thread_on_fiber);
    run(forks);
    run(blocking);
    run(jumping);
    run(interrupting);
    CHECK(gc_fiber_current() == gc_fiber_current(), "two handles for one stack");
    return 0;
}
