/* What the programs about fibers share: two ways to switch stacks, and coroutines made with either.
 *
 * A coroutine's place is in memory that is not searched, complemented where it is an address of ours: what keeps an
 * object alive is the coroutine's stack alone.
 */
#ifndef FIBERS_H
#define FIBERS_H

#include "check.h"

#include <sys/mman.h>
#include <ucontext.h>

/* Pushes what a call keeps, leaves the stack pointer in *from, and goes on at `to`. */
#ifdef __cplusplus
extern "C" {
#endif
void hand_switch(void **from, void *to);
void hand_start(void);
#ifdef __cplusplus
}
#endif
__asm__(".text\n"
        ".type hand_switch, @function\n"
        "hand_switch:\n"
        "  push %rbp\n  push %rbx\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
        "  mov %rsp, (%rdi)\n"
        "  mov %rsi, %rsp\n"
        "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbx\n  pop %rbp\n"
        "  ret\n"
        ".size hand_switch, . - hand_switch\n"
        ".type hand_start, @function\n"
        "hand_start:\n"
        "  mov %r12, %rdi\n"
        "  call *%rbx\n"
        "  ud2\n"
        ".size hand_start, . - hand_start\n");

/* Where a stack was left. */
struct place {
    void *sp;
    ucontext_t context;
};

struct jump {
    struct place *from, *to;
};

/* A way to switch: how to jump, and how to prepare a stack on which entry(argument) is to run. */
struct way {
    const char *name;
    gc_fiber_jump jump;
    void *(*prepare)(struct place *place, char *stack, size_t size, void (*entry)(void *), void *argument);
};

static void jump_by_hand(void *data)
{
    struct jump *jump = (struct jump *)data;
    hand_switch(&jump->from->sp, jump->to->sp);
}

static void *prepare_by_hand(struct place *place, char *stack, size_t size, void (*entry)(void *), void *argument)
{
    void **sp = (void **)(stack + (size & ~(size_t)15)) - 9;
    memset(sp, 0, 9 * sizeof *sp);
    sp[3] = argument;              /* r12 */
    sp[4] = (void *)entry;         /* rbx */
    sp[6] = (void *)hand_start;    /* the return address */
    place->sp = sp;
    return sp;
}

static void jump_by_context(void *data)
{
    struct jump *jump = (struct jump *)data;
    swapcontext(&jump->from->context, &jump->to->context);
}

static void context_start(unsigned entry_high, unsigned entry_low, unsigned argument_high, unsigned argument_low)
{
    void (*entry)(void *) = (void (*)(void *))((uintptr_t)entry_high << 32 | entry_low);
    entry((void *)((uintptr_t)argument_high << 32 | argument_low));
}

static void *prepare_by_context(struct place *place, char *stack, size_t size, void (*entry)(void *), void *argument)
{
    uintptr_t e = (uintptr_t)entry, a = (uintptr_t)argument;
    getcontext(&place->context);
    place->context.uc_stack.ss_sp = stack;
    place->context.uc_stack.ss_size = size;
    place->context.uc_link = NULL;
    makecontext(&place->context, (void (*)(void))context_start, 4, (unsigned)(e >> 32), (unsigned)e,
                (unsigned)(a >> 32), (unsigned)a);
    return NULL;
}

static __attribute__((unused)) const struct way WAYS[] = {
    {"by hand", jump_by_hand, prepare_by_hand},
    {"by ucontext", jump_by_context, prepare_by_context},
};
enum { WAYS_COUNT = sizeof WAYS / sizeof WAYS[0] };

/* A coroutine. */
struct coroutine {
    const struct way *way;
    uintptr_t fiber;        /* its handle, hidden */
    uintptr_t resumed_from; /* the handle of the fiber that runs it, hidden */
    struct place here, there;
    char *stack;
    size_t size;
    void (*body)(struct coroutine *, void *);
    void *argument;
    int is_over;
};

static __attribute__((unused)) gc_fiber *fiber_of(const struct coroutine *c)
{
    return (gc_fiber *)reveal(c->fiber);
}

/* Goes back to who resumed the coroutine; comes back when it is resumed again. */
static NOINLINE __attribute__((unused)) void yield_from(struct coroutine *c)
{
    struct jump jump;
    jump.from = &c->here;
    jump.to = &c->there;
    gc_fiber_switch((gc_fiber *)reveal(c->resumed_from), c->way->jump, &jump);
}

/* Runs the coroutine until it yields or is over. */
static NOINLINE __attribute__((unused)) void resume(struct coroutine *c)
{
    struct jump jump;
    jump.from = &c->there;
    jump.to = &c->here;
    c->resumed_from = hide(gc_fiber_current());
    gc_fiber_switch(fiber_of(c), c->way->jump, &jump);
}

static void run_coroutine(void *data)
{
    struct coroutine *c = (struct coroutine *)data;
    void *argument = c->argument;
    c->argument = NULL;
    c->body(c, argument);
    c->is_over = 1;
    yield_from(c);
    abort();
}

/* Makes `c` a coroutine on a stack of the caller's, which runs body(c, argument) when it is first resumed. */
static __attribute__((unused)) gc_fiber *make_coroutine(struct coroutine *c, const struct way *way, void *stack,
                                                         size_t size, enum gc_fiber_life life,
                                                         void (*body)(struct coroutine *, void *), void *argument)
{
    gc_fiber *fiber;
    void *sp;
    memset(c, 0, sizeof *c);
    c->way = way;
    c->stack = (char *)stack;
    c->size = size;
    c->body = body;
    c->argument = argument;
    sp = way->prepare(&c->here, c->stack, size, run_coroutine, c);
    fiber = gc_fiber_new(stack, size, sp, NULL, life);
    CHECK(fiber != NULL, "no fiber: %s", strerror(errno));
    c->fiber = hide(fiber);
    return fiber;
}

/* Address space from the system. */
static __attribute__((unused)) void *map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(p != MAP_FAILED, "mmap of %zu: %s", bytes, strerror(errno));
    return p;
}

#endif
