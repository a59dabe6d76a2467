/* coroutine.c: coroutines, one fiber each.
 *
 *     (make-coroutine procedure)     procedure is called with the value of the first resume
 *     (resume coroutine value)       runs it until it yields or ends; the value that it yields or ends with
 *     (yield value)                  in a coroutine: gives its resumer a value; the value of the next resume
 *     (coroutine-done? coroutine)
 *
 * A coroutine has a C stack of its own, so it may yield from inside anything. The collector knows the stack as that of
 * a fiber whose handle is an ordinary object: the used part of a parked coroutine's stack is searched if the program
 * can reach it. One that nobody can reach is garbage in the middle of its work, and so is what its stack held. The
 * stack itself is a collected object without pointers, which lives as long as the fiber.
 *
 * What goes wrong in a coroutine and is caught by nobody there goes wrong in its resumer.
 */
#include "memory.h"

#include <string.h>

enum { STACK_SIZE = 128 << 10, STACK_RESERVE = 32 << 10, STACK_CLEARED = 8 << 10 };

enum life { FRESH, PARKED, RUNNING, ENDED };

/* The value. The coroutine's own stack has no need of it: there its address would keep the object beside it, too, which
 * could be another coroutine, and that one the next. */
struct handle { uintptr_t header; gc_fiber *fiber; struct coroutine *coroutine; };

struct coroutine {
    char *stack;
    void *sp;                                /* while it is parked */
    value procedure;
    value transfer;                          /* what is handed over at a switch */
    bool raised;                             /* it ended by an error, which is `transfer` */
    enum life life;
    gc_fiber *resumer;
    void *resumer_sp;
};

/* ---- switching ---------------------------------------------------------------------------------------------------- */

/* Keeps what a call has to keep on the stack that runs, its pointer in *from, and goes on with the stack `to`. */
void switch_stacks(void **from, void *to);
__asm__(".text\n"
        ".type switch_stacks, @function\n"
        "switch_stacks:\n"
        "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n    popq %rbx\n    popq %rbp\n"
        "    ret\n"
        ".size switch_stacks, . - switch_stacks\n");

static void jump_in(void *data) {
    struct coroutine *co = me.stack.coroutine = data;
    switch_stacks(&co->resumer_sp, co->sp);
}

static void jump_out(void *data) {
    struct coroutine *co = data;
    switch_stacks(&co->sp, co->resumer_sp);
}

/* What belongs to the stack that is left stays with it; it is `context` again when the stack goes on. */
static void switch_to(gc_fiber *fiber, void (*jump)(void *), struct coroutine *co) {
    struct context context = me.stack;
    gc_fiber_switch(fiber, jump, co);
    me.stack = context;
    stack_floor_set(context.floor);
}

/* ---- a coroutine's life ------------------------------------------------------------------------------------------- */

static value run_procedure(void *data) {
    struct coroutine *co = data;
    value procedure = co->procedure;
    co->procedure = NOTHING;
    return call1(procedure, co->transfer);
}

/* The first function on a new stack. */
static _Noreturn void coroutine_main(void) {
    struct coroutine *co = me.stack.coroutine;
    me.stack = (struct context){.handlers = NIL, .winds = NIL, .coroutine = co};
    stack_floor_set(co->stack + STACK_RESERVE);
    co->raised = !protect(run_procedure, co, &co->transfer);
    co->life = ENDED;
    gc_fiber_switch(co->resumer, jump_out, co);
    __builtin_unreachable();
}

static void release_stack(struct handle *handle) {
    gc_fiber_free(handle->fiber);
    gc_free(handle->coroutine->stack);
    handle->fiber = NULL;
    handle->coroutine->stack = NULL;
}

static struct handle *need_handle(value v) { return (struct handle *)object_of(need(T_COROUTINE, v)); }

PRIMITIVE(p_make_coroutine, "make-coroutine", 1, 1) {
    struct handle *handle = scanned(sizeof *handle);
    struct coroutine *co = handle->coroutine = scanned(sizeof *co);
    handle->header = HEADER(T_COROUTINE, 0);
    co->procedure = arg[0];
    char *stack = plain(STACK_SIZE);
    /* Frames have holes, which must not hold what another coroutine has left here. */
    memset(stack + STACK_SIZE - STACK_CLEARED, 0, STACK_CLEARED);
    /* As switch_stacks finds it: six registers, then where to go on, at an address as after a call. */
    void **sp = (void **)(stack + STACK_SIZE) - 8;
    sp[6] = (void *)coroutine_main;
    co->stack = stack;
    co->sp = sp;
    handle->fiber = gc_fiber_new(stack, STACK_SIZE, sp, NULL, GC_FIBER_OBJECT);
    if (handle->fiber == NULL)
        oom_raise(STACK_SIZE, NULL);
    return of(handle);
}

PRIMITIVE(p_resume, "resume", 1, 2) {
    struct handle *handle = need_handle(arg[0]);
    struct coroutine *co = handle->coroutine;
    if (co->life == RUNNING || co->life == ENDED)
        fail(co->life == ENDED ? "this coroutine has ended" : "this coroutine runs already", NIL);
    co->resumer = gc_fiber_current();
    co->transfer = count > 1 ? arg[1] : UNSPECIFIED;
    co->life = RUNNING;
    switch_to(handle->fiber, jump_in, co);
    co->resumer = NULL;
    value v = co->transfer;
    co->transfer = NOTHING;
    if (co->life == ENDED)
        release_stack(handle);
    if (co->raised) {
        co->raised = false;
        raise_value(v, false);
    }
    return v;
}

PRIMITIVE(p_yield, "yield", 0, 1) {
    struct coroutine *co = me.stack.coroutine;
    if (co == NULL)
        fail("not in a coroutine", NIL);
    co->transfer = count > 0 ? arg[0] : UNSPECIFIED;
    co->life = PARKED;
    switch_to(co->resumer, jump_out, co);
    return co->transfer;
}

QUESTION(p_is_coroutine, "coroutine?", is(T_COROUTINE, v))
PRIMITIVE(p_coroutine_done, "coroutine-done?", 1, 1) {
    return boolean(need_handle(arg[0])->coroutine->life == ENDED);
}
