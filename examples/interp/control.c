/* control.c: errors, handlers, escapes, unwinding; what waits for a safe place.
 *
 * An escape is a longjmp to a `catch`, a structure on the C stack of whoever can be escaped to: call/cc, guard, and
 * protect, which ends what nobody else has caught. Its continuation object may be kept for longer than the catch
 * stands; it is told when the catch goes, and a later use is an error. Who has been jumped to calls the `after`
 * procedures of each dynamic-wind on the way.
 *
 * Handlers are a list, the innermost first: a procedure is called where the error is, a guard's continuation is
 * escaped to.
 *
 * The collector calls a finalizer on any thread, in the middle of an allocation. So the finalizer that it calls only
 * puts the object into the mailbox of the interpreter that asked, and raises that one's stack limit: its next call
 * looks up, and runs the procedure there.
 */
#include "memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- catches ------------------------------------------------------------------------------------------------------ */

void catch_enter(struct catch *c) {
    struct continuation *k = scanned(sizeof *k);
    *k = (struct continuation){HEADER(T_CONTINUATION, 0), c, me.stack.coroutine};
    c->up = me.stack.catches;
    c->continuation = of(k);
    c->handlers = me.stack.handlers;
    c->winds = me.stack.winds;
    me.stack.catches = c;
}

void catch_leave(struct catch *c) {
    continuation_of(c->continuation)->catch = NULL;
    me.stack.catches = c->up;
    me.stack.handlers = c->handlers;
}

void throw_to(value continuation, value v) {
    const struct continuation *k = continuation_of(continuation);
    if (k->catch == NULL)
        fail("this continuation has ended: one can only escape outwards, once", NIL);
    if (k->coroutine != me.stack.coroutine)
        fail("this continuation belongs to another coroutine", NIL);
    struct catch *c = k->catch;
    while (k->catch != NULL)
        catch_leave(me.stack.catches);
    me.thrown = v;
    longjmp(c->jump, 1);
}

/* After the jump: here is stack enough, whatever it was that there was too little of. */
value catch_land(struct catch *c) {
    value v = me.thrown;
    while (me.stack.winds != c->winds) {
        value after = cdr(car(me.stack.winds));
        me.stack.winds = cdr(me.stack.winds);
        apply(after, 0, NULL);
    }
    return v;
}

bool protect(value (*body)(void *data), void *data, value *result) {
    struct catch c;
    catch_enter(&c);
    if (setjmp(c.jump) != 0) {
        *result = catch_land(&c);
        return false;
    }
    me.stack.handlers = cons(c.continuation, NIL);
    *result = body(data);
    catch_leave(&c);
    return true;
}

PRIMITIVE(p_call_cc, "call/cc", 1, 1) {
    struct catch c;
    catch_enter(&c);
    if (setjmp(c.jump) != 0)
        return catch_land(&c);
    value v = call1(arg[0], c.continuation);
    catch_leave(&c);
    return v;
}

/* With these the prelude makes dynamic-wind and with-exception-handler. */
PRIMITIVE(p_winds, "%winds", 0, 1) { return count > 0 ? (me.stack.winds = arg[0]) : me.stack.winds; }
PRIMITIVE(p_handlers, "%handlers", 0, 1) { return count > 0 ? (me.stack.handlers = arg[0]) : me.stack.handlers; }

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static value make_condition(value message, value irritants, const struct place *place) {
    struct condition *condition = scanned(sizeof *condition);
    *condition = (struct condition){HEADER(T_CONDITION, 0), message, irritants, (value)place};
    return of(condition);
}

/* Returns only if the handler does and `continuable` is set. */
value raise_value(value v, bool continuable) {
    value handlers = me.stack.handlers, handler = car(handlers);
    if (is(T_CONTINUATION, handler))
        throw_to(handler, v);
    me.stack.handlers = cdr(handlers);
    value result = call1(handler, v);
    if (!continuable)
        fail_at(NULL, "a handler has returned from what cannot go on", LIST(v));
    me.stack.handlers = handlers;
    return result;
}

void fail_at(const struct place *place, const char *message, value irritants) {
    raise_value(make_condition(make_text(message), irritants, place), false);
    abort();
}

/* In the primitive that was called last. */
void fail(const char *message, value irritants) {
    char text[256];
    const char *name = me.call.callee != NULL ? me.call.callee->is.name : "";
    snprintf(text, sizeof text, "%s%s%s", name, *name != 0 ? ": " : "", message);
    fail_at(me.call.node != NULL ? me.call.node->place : NULL, text, irritants);
}

void fail_type(const char *expected, value got) {
    char message[128];
    snprintf(message, sizeof message, "expected %s, got", expected);
    fail(message, LIST(got));
}

/* FILE:LINE:COLUMN: MESSAGE IRRITANT ... */
static void report(struct port *port, value v) {
    if (!is(T_CONDITION, v)) {
        port_puts(port, "raised: ");
        print(port, v, true);
        return;
    }
    const struct place *place = (const struct place *)condition_of(v)->place;
    if (place != NULL) {
        char position[32];
        snprintf(position, sizeof position, ":%d:%d: ", place->line, place->column);
        print(port, place->file, false);
        port_puts(port, position);
    }
    print(port, condition_of(v)->message, false);
    for (value rest = condition_of(v)->irritants; is_pair(rest); rest = cdr(rest)) {
        port_puts(port, " ");
        print(port, car(rest), true);
    }
}

void complain(const char *what, value v) {
    struct port *errors = port_of(open_stream(stderr, "stderr", true));
    fflush(stdout);
    port_puts(errors, what);
    report(errors, v);
    port_puts(errors, "\n");
}

PRIMITIVE(p_error, "error", 1, -1) {
    const struct place *place = me.call.node != NULL ? me.call.node->place : NULL;
    return raise_value(make_condition(arg[0], list(count - 1, arg + 1), place), false);
}

PRIMITIVE(p_raise, "raise", 1, 1) { return raise_value(arg[0], false); }
PRIMITIVE(p_raise_continuable, "raise-continuable", 1, 1) { return raise_value(arg[0], true); }

QUESTION(p_is_error, "error-object?", is(T_CONDITION, v))
PRIMITIVE(p_error_message, "error-object-message", 1, 1) { return condition_of(need(T_CONDITION, arg[0]))->message; }
PRIMITIVE(p_error_irritants, "error-object-irritants", 1, 1) {
    return condition_of(need(T_CONDITION, arg[0]))->irritants;
}

PRIMITIVE(p_error_report, "error-report", 1, 1) {
    value text = open_output_text();
    report(port_of(text), arg[0]);
    return output_text(port_of(text));
}

/* Called by the collector when it finds no memory; the condition was made when there was some. */
void *oom_raise(size_t size, void *data) {
    (void)data;
    if (me.stack.handlers == NOTHING || me.stack.handlers == NIL) {
        fprintf(stderr, "interp: out of memory: %zu bytes; raise the limit of the heap\n", size);
        exit(1);
    }
    raise_value(me.out_of_memory, false);
    abort();
}

/* ---- finalizers, and other business at calls ----------------------------------------------------------------------- */

struct wish {
    struct wish *next;
    struct mailbox *mailbox;
    value object, procedure;                 /* the object: once it is in the mailbox */
    enum tag tag;
};

struct mailbox {
    pthread_mutex_t lock;                    /* of `limit`, which ends with the interpreter */
    char *_Atomic *limit;
    struct wish *_Atomic first;
};

#define LOOK_UP ((char *)UINTPTR_MAX)

void control_open(char *stack_floor) {
    me.stack.handlers = me.stack.winds = NIL;
    me.mailbox = scanned(sizeof *me.mailbox);
    pthread_mutex_init(&me.mailbox->lock, NULL);
    me.mailbox->limit = &me.stack_limit;
    stack_floor_set(stack_floor);
    me.out_of_memory = make_condition(make_text("out of memory"), NIL, NULL);
    me.too_deep = make_condition(make_text("recursion too deep"), NIL, NULL);
}

void control_close(void) {
    pthread_mutex_lock(&me.mailbox->lock);
    me.mailbox->limit = NULL;
    pthread_mutex_unlock(&me.mailbox->lock);
}

/* The collector's finalizer, on any thread. The wish comes into the box before the limit rises: stack_floor_set lowers
 * the limit before it looks into the box, so one of the two sees the other. */
static void deliver(void *object, void *data) {
    struct wish *wish = data;
    struct mailbox *mailbox = wish->mailbox;
    wish->object = (value)object | wish->tag;
    wish->next = atomic_load(&mailbox->first);
    while (!atomic_compare_exchange_weak(&mailbox->first, &wish->next, wish))
        ;
    pthread_mutex_lock(&mailbox->lock);
    if (mailbox->limit != NULL)
        atomic_store(mailbox->limit, LOOK_UP);
    pthread_mutex_unlock(&mailbox->lock);
}

void stack_floor_set(char *floor) {
    me.stack.floor = floor;
    atomic_store(&me.stack_limit, floor);
    if (atomic_load(&me.mailbox->first) != NULL)
        atomic_store(&me.stack_limit, LOOK_UP);
}

static value grant(void *data) {
    const struct wish *wish = data;
    return call1(wish->procedure, wish->object);
}

static int run_finalizers(void) {
    int ran = 0;
    value result;
    struct call call = me.call;
    for (struct wish *wish = atomic_exchange(&me.mailbox->first, NULL); wish != NULL; wish = wish->next, ran++)
        if (!protect(grant, wish, &result))
            complain("interp: a finalizer has failed: ", result);
    me.call = call;
    return ran;
}

/* At a call: the stack limit has been met. */
void attend(void) {
    if ((char *)__builtin_frame_address(0) < me.stack.floor)
        raise_value(me.too_deep, false);
    stack_floor_set(me.stack.floor);
    if (atomic_load(&me.mailbox->first) != NULL)
        run_finalizers();
}

PRIMITIVE(p_set_finalizer, "set-finalizer!", 2, 2) {
    value object = arg[0];
    if (!is_pair(object) && !is_object(object))
        fail_type("an object that can be collected", object);
    struct wish *wish = scanned(sizeof *wish);
    *wish = (struct wish){NULL, me.mailbox, NOTHING, arg[1], (enum tag)(object & TAG_MASK)};
    if (!finalizer_set((void *)(object & ~(value)TAG_MASK), deliver, wish))
        fail("cannot set a finalizer", LIST(object));
    return UNSPECIFIED;
}

PRIMITIVE(p_run_finalizers, "run-finalizers", 0, 0) { return fixnum(run_finalizers()); }
PRIMITIVE(p_gc, "gc", 0, 0) { return collect(), UNSPECIFIED; }
PRIMITIVE(p_gc_count, "gc-count", 0, 0) { return fixnum((intptr_t)collections()); }
PRIMITIVE(p_heap_bytes, "heap-bytes", 0, 0) { return fixnum((intptr_t)heap_bytes()); }
PRIMITIVE(p_heap_limit, "heap-limit!", 1, 1) { return heap_limit_set((size_t)need_fixnum(arg[0])), UNSPECIFIED; }
