/* A thread may be stopped at any instruction of a switch: after each one, another thread collects, and whatever the fibers
 * hold is still there. The trap flag stops the switching thread after each instruction, in a handler on its fiber's own
 * stack or on an alternate one. */
#define _GNU_SOURCE
#include "fibers.h"

#include <pthread.h>
#include <signal.h>

enum { STACK_BYTES = 64 << 10, FIBERS = 2, ROUNDS = 1, HELD = FIBERS + 1 };

static gc_weak *cells[HELD];
static struct coroutine *coroutines;
static gc_fiber *volatile handles[FIBERS];
static size_t wanted, done, is_over;

struct object {
    size_t number;
};

static void on_trap(int signal)
{
    size_t step = __atomic_load_n(&wanted, __ATOMIC_RELAXED) + 1;
    (void)signal;
    __atomic_store_n(&wanted, step, __ATOMIC_RELEASE);
    while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) != step)
        sched_yield();
    for (size_t i = 0; i < HELD; i++) {
        if (gc_weak_get(cells[i]) == NULL) {
            printf("step %zu: object %zu has died\n", step, i);
            fflush(stdout);
            _Exit(1);
        }
    }
}

static void *collect_when_wanted(void *unused)
{
    while (!__atomic_load_n(&is_over, __ATOMIC_ACQUIRE)) {
        size_t step = __atomic_load_n(&wanted, __ATOMIC_ACQUIRE);
        if (step != done) {
            unsigned long before = gc_collections();
            gc_collect();
            CHECK(gc_collections() > before, "nothing was collected");
            __atomic_store_n(&done, step, __ATOMIC_RELEASE);
        } else {
            sched_yield();
        }
    }
    return unused;
}

static inline void trap_after_each_instruction(void)
{
    __asm__ volatile("sub $128, %%rsp; pushf; orq $0x100, (%%rsp); popf; add $128, %%rsp" : : : "memory", "cc");
}

static inline void trap_no_more(void)
{
    __asm__ volatile("sub $128, %%rsp; pushf; andq $-0x101, (%%rsp); popf; add $128, %%rsp" : : : "memory", "cc");
}

/* The object is in a register that calls keep, or in this frame. */
static NOINLINE struct object *make(size_t number)
{
    struct object *object = gc_malloc(sizeof *object);
    object->number = number;
    cells[number] = observe(object);
    return object;
}

static void body(struct coroutine *c, void *argument)
{
    struct object *object = make((size_t)argument);
    for (;;) {
        yield_from(c);
        use(object);
    }
}

static void switch_to_and_fro(void)
{
    struct object *object = make(FIBERS);
    for (size_t i = 0; i < FIBERS; i++)
        resume(&coroutines[i]); /* to where it has made its object */
    trap_after_each_instruction();
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < FIBERS; i++)
            resume(&coroutines[i]);
    trap_no_more();
    use(object);
}

static void take_steps(const struct way *way, enum gc_fiber_life life, int handler_flags)
{
    struct sigaction action;
    size_t before = wanted;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_trap;
    action.sa_flags = handler_flags;
    CHECK(sigaction(SIGTRAP, &action, NULL) == 0, "no handler");
    for (size_t i = 0; i < FIBERS; i++)
        handles[i] = make_coroutine(&coroutines[i], way, map(STACK_BYTES), STACK_BYTES, life, body, (void *)i);
    switch_to_and_fro();
    CHECK(wanted > before + 50, "%s: only %zu steps", way->name, wanted - before);
    for (size_t i = 0; i < FIBERS; i++)
        gc_fiber_free(handles[i]);
}

int main(void)
{
    pthread_t collector;
    stack_t alternate;
    memset(&alternate, 0, sizeof alternate);
    alternate.ss_sp = map(64 << 10);
    alternate.ss_size = 64 << 10;
    CHECK(sigaltstack(&alternate, NULL) == 0, "no alternate stack");
    coroutines = gc_malloc_atomic(FIBERS * sizeof *coroutines);
    CHECK(pthread_create(&collector, NULL, collect_when_wanted, NULL) == 0, "no thread");
    for (size_t i = 0; i < WAYS_COUNT; i++) {
        take_steps(&WAYS[i], GC_FIBER_ROOT, 0);
        take_steps(&WAYS[i], GC_FIBER_OBJECT, 0);
        take_steps(&WAYS[i], GC_FIBER_OBJECT, SA_ONSTACK);
    }
    __atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
    pthread_join(collector, NULL);
    printf("%zu steps\n", wanted);
    return 0;
}
