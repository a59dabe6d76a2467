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
    *k = (struct continuation){HEADER(T_CONTINUATION, 0), c, me.coroutine};
    c->up = me.catches;
    c->continuation = of(k);
    c->handlers = me.handlers;
    c->winds = me.winds;
    me.catches = c;
}

void catch_leave(struct catch *c) {
    continuation_of(c->continuation)->catch = NULL;
    me.catches = c->up;
    me.handlers = c->handlers;
}

void throw_to(value continuation, value v) {
    const struct continuation *k = continuation_of(continuation);
    if (k->catch == NULL)
        fail("this continuation has ended: one can only escape outwards, once", NIL);
    if (k->coroutine != me.coroutine)
        fail("this continuation belongs to another coroutine", NIL);
    struct catch *c = k->catch;
    while (me.catches != c)
        catch_leave(me.catches);
    catch_leave(c);
    me.thrown = v;
    longjmp(c->jump, 1);
}

/* After the jump: here is stack enough, whatever it was that there was too little of. */
value catch_land(struct catch *c) {
    value v = me.thrown;
    while (me.winds != c->winds) {
        value after = cdr(car(me.winds));
        me.winds = cdr(me.winds);
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
    me.handlers = cons(c.continuation, NIL);
    *result = body(data);
    catch_leave(&c);
    return true;
}

PRIMITIVE(p_call_cc) {
    struct catch c;
    catch_enter(&c);
    if (setjmp(c.jump) != 0)
        return catch_land(&c);
    value v = call1(arg[0], c.continuation);
    catch_leave(&c);
    return v;
}

PRIMITIVE(p_dynamic_wind) {
    apply(arg[0], 0, NULL);
    me.winds = cons(cons(arg[0], arg[2]), me.winds);
    value v = apply(arg[1], 0, NULL);
    me.winds = cdr(me.winds);
    apply(arg[2], 0, NULL);
    return v;
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static value make_condition(value message, value irritants, const struct place *place) {
    struct condition *condition = scanned(sizeof *condition);
    *condition = (struct condition){HEADER(T_CONDITION, 0), message, irritants, (value)place};
    return of(condition);
}

/* Returns only if the handler does and `continuable` is set. */
value raise_value(value v, bool continuable) {
    value handlers = me.handlers, handler = car(handlers);
    if (is(T_CONTINUATION, handler))
        throw_to(handler, v);
    me.handlers = cdr(handlers);
    value result = call1(handler, v);
    if (!continuable)
        fail_at(NULL, "a handler has returned from what cannot go on", list(1, v));
    me.handlers = handlers;
    return result;
}

void fail_at(const struct place *place, const char *message, value irritants) {
    raise_value(make_condition(make_text(message), irritants, place), false);
    abort();
}

/* In the primitive that was called last. */
void fail(const char *message, value irritants) {
    char text[256];
    snprintf(text, sizeof text, "%s%s%s", me.callee != NULL ? me.callee->name : "", me.callee != NULL ? ": " : "",
             message);
    fail_at(me.calling != NULL ? me.calling->place : NULL, text, irritants);
}

void fail_with(const char *message, value irritant) {
    fail(message, list(1, irritant));
}

void fail_type(const char *expected, value got) {
    char message[128];
    snprintf(message, sizeof message, "expected %s, got", expected);
    fail_with(message, got);
}

/* FILE:LINE:COLUMN: MESSAGE IRRITANT ... */
void report(struct port *port, value v) {
    if (!is(T_CONDITION, v)) {
        port_puts(port, "raised: ");
        print(port, v, true);
        return;
    }
    struct condition *condition = (struct condition *)object_of(v);
    const struct place *place = (const struct place *)condition->place;
    if (place != NULL) {
        char position[32];
        snprintf(position, sizeof position, ":%d:%d: ", place->line, place->column);
        print(port, place->file, false);
        port_puts(port, position);
    }
    print(port, condition->message, false);
    for (value rest = condition->irritants; is_pair(rest); rest = cdr(rest)) {
        port_puts(port, " ");
        print(port, car(rest), true);
    }
}

PRIMITIVE(p_error) {
    value irritants = NIL;
    while (count > 1)
        irritants = cons(arg[--count], irritants);
    return raise_value(make_condition(arg[0], irritants, me.calling != NULL ? me.calling->place : NULL), false);
}

PRIMITIVE(p_raise) { return raise_value(arg[0], false); }

PRIMITIVE(p_raise_continuable) { return raise_value(arg[0], true); }

PRIMITIVE(p_with_exception_handler) {
    value outer = me.handlers;
    me.handlers = cons(arg[0], outer);
    value v = apply(arg[1], 0, NULL);
    me.handlers = outer;
    return v;
}

static struct condition *need_condition(value v) {
    return (struct condition *)object_of(need(T_CONDITION, v, "an error object"));
}

PRIMITIVE(p_is_error) { return boolean(is(T_CONDITION, arg[0])); }
PRIMITIVE(p_error_message) { return need_condition(arg[0])->message; }
PRIMITIVE(p_error_irritants) { return need_condition(arg[0])->irritants; }

PRIMITIVE(p_error_report) {
    value text = open_output_text();
    report(port_of(text), arg[0]);
    return output_text(port_of(text));
}

/* Called by the collector when it finds no memory; the condition was made when there was some. */
void *oom_raise(size_t size, void *data) {
    (void)data;
    if (me.handlers == NOTHING || me.handlers == NIL) {
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

void mailbox_open(void) {
    me.mailbox = scanned(sizeof *me.mailbox);
    pthread_mutex_init(&me.mailbox->lock, NULL);
    me.mailbox->limit = &me.stack_limit;
}

void mailbox_close(void) {
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
    me.stack_floor = floor;
    atomic_store(&me.stack_limit, floor);
    if (atomic_load(&me.mailbox->first) != NULL)
        atomic_store(&me.stack_limit, LOOK_UP);
}

static value grant(void *data) {
    struct wish *wish = data;
    return call1(wish->procedure, wish->object);
}

static int run_finalizers(void) {
    int ran = 0;
    const struct node *calling = me.calling, *tail_body = me.tail_body;
    value *tail_frame = me.tail_frame;
    struct primitive *callee = me.callee;
    struct wish *wish = atomic_exchange(&me.mailbox->first, NULL);
    for (; wish != NULL; wish = wish->next, ran++) {
        value result;
        if (!protect(grant, wish, &result)) {
            value standard_error = open_stream(stderr, "stderr", true);
            port_puts(port_of(standard_error), "interp: a finalizer has failed: ");
            report(port_of(standard_error), result);
            port_puts(port_of(standard_error), "\n");
        }
    }
    me.calling = calling;
    me.callee = callee;
    me.tail_body = tail_body;
    me.tail_frame = tail_frame;
    return ran;
}

/* At a call: the stack limit has been met. */
void attend(void) {
    if ((char *)__builtin_frame_address(0) < me.stack_floor)
        raise_value(me.too_deep, false);
    stack_floor_set(me.stack_floor);
    if (atomic_load(&me.mailbox->first) == NULL)
        return;
    run_finalizers();
    stack_floor_set(me.stack_floor);
}

PRIMITIVE(p_set_finalizer) {
    value object = arg[0];
    if (!is_pair(object) && !is_object(object))
        fail_type("an object that can be collected", object);
    struct wish *wish = scanned(sizeof *wish);
    *wish = (struct wish){NULL, me.mailbox, NOTHING, arg[1], (enum tag)(object & TAG_MASK)};
    if (!finalizer_set((void *)(object & ~(value)TAG_MASK), deliver, wish))
        fail_with("cannot set a finalizer", object);
    return UNSPECIFIED;
}

PRIMITIVE(p_run_finalizers) { return fixnum(run_finalizers()); }

PRIMITIVE(p_gc) { return collect(), UNSPECIFIED; }

PRIMITIVE(p_gc_count) { return fixnum((intptr_t)collections()); }

PRIMITIVE(p_heap_bytes) { return fixnum((intptr_t)heap_bytes()); }

PRIMITIVE(p_heap_limit) { return heap_limit_set((size_t)need_fixnum(arg[0])), UNSPECIFIED; }

void define_control(void) {
    static const struct table_entry entries[] = {
        {"call/cc", p_call_cc, 1, 1}, {"call-with-current-continuation", p_call_cc, 1, 1},
        {"call-with-escape-continuation", p_call_cc, 1, 1}, {"dynamic-wind", p_dynamic_wind, 3, 3},
        {"error", p_error, 1, -1},
        {"raise", p_raise, 1, 1}, {"raise-continuable", p_raise_continuable, 1, 1},
        {"with-exception-handler", p_with_exception_handler, 2, 2}, {"error-object?", p_is_error, 1, 1},
        {"error-object-message", p_error_message, 1, 1}, {"error-object-irritants", p_error_irritants, 1, 1},
        {"error-report", p_error_report, 1, 1}, {"set-finalizer!", p_set_finalizer, 2, 2},
        {"run-finalizers", p_run_finalizers, 0, 0}, {"gc", p_gc, 0, 0}, {"gc-count", p_gc_count, 0, 0},
        {"heap-bytes", p_heap_bytes, 0, 0}, {"heap-limit!", p_heap_limit, 1, 1},
    };
    DEFINE_ALL(entries);
    me.out_of_memory = make_condition(make_text("out of memory"), NIL, NULL);
    me.too_deep = make_condition(make_text("recursion too deep"), NIL, NULL);
}
