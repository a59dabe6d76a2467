/* run.c: nodes run. Each kind of node is one function of a node and a frame; its result is the value.
 *
 * A call makes the frame of the procedure that it calls and puts the values of the arguments straight into it. In tail
 * position it then leaves frame and body in `me` and returns TAIL, and whoever has called the procedure goes on with
 * those: a loop, not a nest. The body of a loop that jumps has set its slots and returns JUMP.
 *
 * Calls of common primitives are compiled to nodes of their own. They hold while `me.pristine` does, that is, until one
 * of these names is given another meaning; what is not of the expected type goes to the primitive, which knows what to
 * say.
 */
#include "memory.h"

#include <string.h>

/* Runs a node; the commonest kinds are not worth a call. */
static inline value eval(const struct node *n, value *f) {
    if (n->run == run_local)
        return f[n->slot];
    if (n->run == run_constant)
        return n->datum;
    return n->run(n, f);
}

/* ---- variables ---------------------------------------------------------------------------------------------------- */

value run_constant(const struct node *n, UNUSED value *f) {
    return n->datum;
}

value run_local(const struct node *n, value *f) {
    return f[n->slot];
}

static inline value *frame_at(value *f, uint32_t depth) {
    while (depth-- > 0)
        f = frame_around(f);
    return f;
}

value run_variable(const struct node *n, value *f) {
    value v = frame_at(f, n->depth)[n->slot];
    if (UNLIKELY(v == NOTHING))
        fail_at(n->place, "used before its definition", list(1, n->datum));
    return v;
}

value run_global(const struct node *n, UNUSED value *f) {
    value v = symbol_of(n->datum)->global;
    if (UNLIKELY(v == NOTHING))
        fail_at(n->place, "unbound variable", list(1, n->datum));
    return v;
}

value run_set_variable(const struct node *n, value *f) {
    value v = eval(n->part[0], f);
    frame_at(f, n->depth)[n->slot] = v;
    return UNSPECIFIED;
}

value run_set_global(const struct node *n, value *f) {
    value v = eval(n->part[0], f);
    if (symbol_of(n->datum)->global == NOTHING)
        fail_at(n->place, "unbound variable", list(1, n->datum));
    define_global(n->datum, v);
    return UNSPECIFIED;
}

value run_define(const struct node *n, value *f) {
    define_global(n->datum, eval(n->part[0], f));
    return UNSPECIFIED;
}

/* ---- choices and sequences ---------------------------------------------------------------------------------------- */

value run_if(const struct node *n, value *f) {
    const struct node *chosen = n->part[eval(n->part[0], f) == FALSE ? 2 : 1];
    return eval(chosen, f);
}

value run_sequence(const struct node *n, value *f) {
    uint32_t last = n->count - 1;
    for (uint32_t i = 0; i < last; i++)
        eval(n->part[i], f);
    return eval(n->part[last], f);
}

value run_or(const struct node *n, value *f) {
    uint32_t last = n->count - 1;
    for (uint32_t i = 0; i < last; i++) {
        value v = eval(n->part[i], f);
        if (v != FALSE)
            return v;
    }
    return eval(n->part[last], f);
}

/* ---- loops -------------------------------------------------------------------------------------------------------- */

value run_loop(const struct node *n, value *f) {
    uint32_t count = n->count - 1;
    for (uint32_t i = 0; i < count; i++)
        f[n->slot + i] = eval(n->part[i], f);
    for (;;) {
        value v = n->part[count]->run(n->part[count], f);
        if (v != JUMP || me.jump != n)
            return v;
        check_stack();
    }
}

value run_jump(const struct node *n, value *f) {
    uint32_t count = n->count;
    value *slot = f + n->slot;
    if (count == 1) {
        slot[0] = eval(n->part[0], f);
    } else if (count > 0) {
        value next[count];
        for (uint32_t i = 0; i < count; i++)
            next[i] = eval(n->part[i], f);
        memcpy(slot, next, sizeof next);
    }
    me.jump = (const struct node *)n->datum;
    return JUMP;
}

/* ---- procedures and calls ----------------------------------------------------------------------------------------- */

value run_lambda(const struct node *n, value *f) {
    struct closure *closure = scanned(sizeof *closure);
    closure->code = (const struct code *)n->datum;
    closure->header = HEADER(T_CLOSURE, 2 * closure->code->required + closure->code->rest);
    closure->frame = f;
    return of(closure);
}

static inline value run_tails(value v) {
    while (v == TAIL) {
        check_stack();
        const struct node *body = me.tail_body;
        v = body->run(body, me.tail_frame);
    }
    return v;
}

value finish(value v) {
    return run_tails(v);
}

static inline value run_body(const struct node *body, value *f) {
    check_stack();
    return run_tails(body->run(body, f));
}

static inline value leave_for(const struct node *body, value *f) {
    me.tail_body = body;
    me.tail_frame = f;
    return TAIL;
}

static _Noreturn void fail_count(value f, int count, int least, int most) {
    fail(most == least ? "wrong number of arguments: expected" : "wrong number of arguments: expected at least",
         list(4, fixnum(least), intern("got"), fixnum(count), f));
}

/* A frame of the procedure, with nothing in it yet. */
static inline value *frame_new(const struct closure *closure) {
    value *frame = (value *)pool_take(closure->code->frames, closure->code->frame_size) + 1;
    frame[-1] = (value)closure->frame;
    return frame;
}

/* The frame of a call with these arguments. */
static value *bind(struct closure *closure, int count, const value *arg) {
    const struct code *code = closure->code;
    int required = (int)code->required;
    if (count < required || (count > required && !code->rest))
        fail_count(of(closure), count, required, code->rest ? -1 : required);
    value *f = frame_new(closure);
    for (int i = 0; i < required; i++)
        f[i] = arg[i];
    if (code->rest) {
        value rest = NIL;
        while (count > required)
            rest = cons(arg[--count], rest);
        f[required] = rest;
    }
    return f;
}

value tail_apply(value f, int count, value *arg) {
    me.callee = NULL;
    if (is(T_CLOSURE, f)) {
        value *frame = bind(closure_of(f), count, arg);
        return leave_for(closure_of(f)->code->body, frame);
    }
    if (is(T_PRIMITIVE, f)) {
        struct primitive *primitive = me.callee = primitive_of(f);
        if (count < primitive->least || (count > primitive->most && primitive->most >= 0))
            fail_count(f, count, primitive->least, primitive->most);
        return primitive->fn(count, arg);
    }
    if (is(T_CONTINUATION, f) && count == 1)
        throw_to(f, arg[0]);
    fail_with("not a procedure", f);
}

value apply(value f, int count, value *arg) {
    if (is(T_CLOSURE, f)) {
        value *frame = bind(closure_of(f), count, arg);
        return run_body(closure_of(f)->code->body, frame);
    }
    return run_tails(tail_apply(f, count, arg));
}

value call1(value f, value a) {
    return apply(f, 1, &a);
}

value call2(value f, value a, value b) {
    value arguments[] = {a, b};
    return apply(f, 2, arguments);
}

/* Any call at all. */
static value call_any(const struct node *n, value *f, value callee) {
    value arg[n->count];
    for (uint32_t i = 1; i < n->count; i++)
        arg[i - 1] = eval(n->part[i], f);
    me.calling = n;
    return tail_apply(callee, (int)n->count - 1, arg);
}

/* A call with so many arguments. If that is what the procedure takes, all there is to do is to fill a frame. */
static inline __attribute__((always_inline)) value call(const struct node *n, value *f, uint32_t count,
                                                        bool tail) {
    const struct node *operator= n->part[0];
    value callee = operator->run == run_global ? symbol_of(operator->datum)->global : NOTHING;
    if (callee == NOTHING)
        callee = eval(operator, f);
    if (UNLIKELY(!is_object(callee) || object_of(callee)->header != HEADER(T_CLOSURE, 2 * count)))
        return tail ? call_any(n, f, callee) : run_tails(call_any(n, f, callee));
    const struct code *code = closure_of(callee)->code;
    value *frame = frame_new(closure_of(callee));
    for (uint32_t i = 0; i < count; i++)
        frame[i] = eval(n->part[i + 1], f);
    return tail ? leave_for(code->body, frame) : run_body(code->body, frame);
}

#define CALLS(count)                                                                                                   \
    static value run_call_##count(const struct node *n, value *f) { return call(n, f, count, false); }          \
    static value run_tail_call_##count(const struct node *n, value *f) { return call(n, f, count, true); }
CALLS(0)
CALLS(1)
CALLS(2)
CALLS(3)
CALLS(4)
static value run_call(const struct node *n, value *f) { return call(n, f, n->count - 1, false); }
static value run_tail_call(const struct node *n, value *f) { return call(n, f, n->count - 1, true); }

run_fn call_node(bool tail, uint32_t count) {
    static const run_fn runs[][2] = {
        {run_call_0, run_tail_call_0}, {run_call_1, run_tail_call_1}, {run_call_2, run_tail_call_2},
        {run_call_3, run_tail_call_3}, {run_call_4, run_tail_call_4}, {run_call, run_tail_call},
    };
    return runs[count < 5 ? count : 5][tail];
}

/* (guard (name clause ...) body ...): parts: the body; the clauses, with what was raised in a slot. */
value run_guard(const struct node *n, value *f) {
    struct catch c;
    catch_enter(&c);
    if (setjmp(c.jump) == 0) {
        me.handlers = cons(c.continuation, me.handlers);
        value v = n->part[0]->run(n->part[0], f);
        catch_leave(&c);
        return v;
    }
    f[n->slot] = catch_land(&c);
    return eval(n->part[1], f);
}

/* ---- primitives in line ------------------------------------------------------------------------------------------- */

/* What the fast way does not do. */
static value slowly(const struct node *n, value *f, int count, value *arg) {
    me.calling = n;
    return apply(eval(n->part[0], f), count, arg);
}

#define INLINE_1(name, condition, result)                                                                              \
    static value name(const struct node *n, value *f) {                                                         \
        value a = eval(n->part[1], f);                                                                                 \
        if (LIKELY(me.pristine && (condition)))                                                                        \
            return result;                                                                                             \
        return slowly(n, f, 1, &a);                                                                                    \
    }

#define INLINE_2(name, condition, result)                                                                              \
    static value name(const struct node *n, value *f) {                                                         \
        value a = eval(n->part[1], f), b = eval(n->part[2], f);                                                        \
        if (LIKELY(me.pristine && (condition)))                                                                        \
            return result;                                                                                             \
        value arg[] = {a, b};                                                                                          \
        return slowly(n, f, 2, arg);                                                                                   \
    }

#define INLINE_3(name, condition, result)                                                                              \
    static value name(const struct node *n, value *f) {                                                         \
        value a = eval(n->part[1], f), b = eval(n->part[2], f), c = eval(n->part[3], f);                               \
        if (LIKELY(me.pristine && (condition)))                                                                        \
            return result;                                                                                             \
        value arg[] = {a, b, c};                                                                                       \
        return slowly(n, f, 3, arg);                                                                                   \
    }

/* A number of either sort, or two of the same. */
#define INLINE_ARITHMETIC(name, integers, reals)                                                                       \
    static value name(const struct node *n, value *f) {                                                         \
        value a = eval(n->part[1], f), b = eval(n->part[2], f);                                                        \
        if (LIKELY(me.pristine)) {                                                                                     \
            intptr_t result;                                                                                           \
            if (LIKELY(a & b & 1)) {                                                                                   \
                if (LIKELY(!integers))                                                                                 \
                    return (value)result;                                                                              \
            } else if (is_real(a) && is_real(b)) {                                                                     \
                return real(real_of(a) reals real_of(b));                                                              \
            }                                                                                                          \
        }                                                                                                              \
        value arg[] = {a, b};                                                                                          \
        return slowly(n, f, 2, arg);                                                                                   \
    }

#define INLINE_COMPARISON(name, operator)                                                                              \
    static value name(const struct node *n, value *f) {                                                         \
        value a = eval(n->part[1], f), b = eval(n->part[2], f);                                                        \
        if (LIKELY(me.pristine)) {                                                                                     \
            if (LIKELY(a & b & 1))                                                                                     \
                return boolean((intptr_t)a operator(intptr_t) b);                                                      \
            if (is_real(a) && is_real(b))                                                                              \
                return boolean(real_of(a) operator real_of(b));                                                        \
        }                                                                                                              \
        value arg[] = {a, b};                                                                                          \
        return slowly(n, f, 2, arg);                                                                                   \
    }

/* 2x + 1 stands for x: the sum of two such words is one too large, their difference one too small. */
INLINE_ARITHMETIC(run_add, __builtin_add_overflow((intptr_t)a, (intptr_t)(b - 1), &result), +)
INLINE_ARITHMETIC(run_subtract, __builtin_sub_overflow((intptr_t)a, (intptr_t)(b - 1), &result), -)
INLINE_ARITHMETIC(run_multiply, (__builtin_mul_overflow((intptr_t)(a - 1), fixnum_of(b), &result) || (result++, 0)), *)
INLINE_COMPARISON(run_equals, ==)
INLINE_COMPARISON(run_less, <)
INLINE_COMPARISON(run_greater, >)
INLINE_COMPARISON(run_at_most, <=)
INLINE_COMPARISON(run_at_least, >=)

INLINE_1(run_car, is_pair(a), car(a))
INLINE_1(run_cdr, is_pair(a), cdr(a))
INLINE_1(run_cadr, is_pair(a) && is_pair(cdr(a)), car(cdr(a)))
INLINE_1(run_cddr, is_pair(a) && is_pair(cdr(a)), cdr(cdr(a)))
INLINE_1(run_is_pair, true, boolean(is_pair(a)))
INLINE_1(run_is_null, true, boolean(a == NIL))
INLINE_1(run_not, true, boolean(a == FALSE))
INLINE_1(run_is_zero, is_fixnum(a), boolean(a == fixnum(0)))
INLINE_2(run_cons, true, cons(a, b))
INLINE_2(run_is_eq, true, boolean(a == b))
INLINE_2(run_set_car, is_pair(a), (car(a) = b, UNSPECIFIED))
INLINE_2(run_set_cdr, is_pair(a), (cdr(a) = b, UNSPECIFIED))
INLINE_2(run_quotient, (a & b & 1) && fixnum_of(b) > 0, fixnum(fixnum_of(a) / fixnum_of(b)))
INLINE_2(run_remainder, (a & b & 1) && fixnum_of(b) > 0, fixnum(fixnum_of(a) % fixnum_of(b)))

static inline bool is_index(enum type type, value v, value i) {
    return is(type, v) && is_fixnum(i) && (uintptr_t)fixnum_of(i) < length_of(v);
}
INLINE_2(run_vector_ref, is_index(T_VECTOR, a, b), vector_of(a)->item[fixnum_of(b)])
INLINE_3(run_vector_set, is_index(T_VECTOR, a, b), (vector_of(a)->item[fixnum_of(b)] = c, UNSPECIFIED))
INLINE_2(run_string_ref, is_index(T_STRING, a, b), character((unsigned char)bytes_of(a)[fixnum_of(b)]))

/* (vector a ...) of any length */
static value run_vector(const struct node *n, value *f) {
    uint32_t count = n->count - 1;
    if (UNLIKELY(!me.pristine))
        return run_tails(call_any(n, f, eval(n->part[0], f)));
    struct vector *v = scanned(sizeof *v + count * sizeof(value));
    v->header = HEADER(T_VECTOR, count);
    for (uint32_t i = 0; i < count; i++)
        v->item[i] = eval(n->part[i + 1], f);
    return of(v);
}

/* ---- records: the datum is the primitive, for as long as the name has this meaning ------------------------------- */

static inline const struct primitive *record_primitive(const struct node *n) {
    return LIKELY(symbol_of(n->part[0]->datum)->global == n->datum) ? primitive_of(n->datum) : NULL;
}

static inline bool is_record_of(const struct primitive *p, value v) {
    return LIKELY(p != NULL && is_object(v)) && LIKELY(object_of(v)->header == p->record);
}

static value run_record_new(const struct node *n, value *f) {
    const struct primitive *p = record_primitive(n);
    if (p == NULL)
        return run_call(n, f);
    uint32_t count = n->count - 1;
    struct vector *v = pool_take(p->records, sizeof *v + count * sizeof(value));
    for (uint32_t i = 0; i < count; i++)
        v->item[i] = eval(n->part[i + 1], f);
    v->header = p->record;
    return of(v);
}

static value run_record_is(const struct node *n, value *f) {
    const struct primitive *p = record_primitive(n);
    return p != NULL ? boolean(is_record_of(p, eval(n->part[1], f))) : run_call(n, f);
}

static value run_record_ref(const struct node *n, value *f) {
    const struct primitive *p = record_primitive(n);
    value v = eval(n->part[1], f);
    return is_record_of(p, v) ? vector_of(v)->item[p->field] : slowly(n, f, 1, &v);
}

static value run_record_set(const struct node *n, value *f) {
    const struct primitive *p = record_primitive(n);
    value arg[] = {eval(n->part[1], f), eval(n->part[2], f)};
    if (!is_record_of(p, arg[0]))
        return slowly(n, f, 2, arg);
    vector_of(arg[0])->item[p->field] = arg[1];
    return UNSPECIFIED;
}

/* The node that a call of this procedure of a record type becomes; NULL: the number of arguments is wrong. */
run_fn record_node(const struct primitive *p, uint32_t count) {
    static const run_fn runs[] = {run_record_new, run_record_is, run_record_ref, run_record_set};
    return (int)count == p->least ? runs[p->sort] : NULL;
}

/* The node that a call of this primitive with so many arguments becomes; NULL: an ordinary call. */
run_fn inlined(const char *name, uint32_t count) {
    static const struct { const char *name; uint32_t count; run_fn run; } table[] = {
        {"+", 2, run_add}, {"-", 2, run_subtract}, {"*", 2, run_multiply}, {"=", 2, run_equals}, {"<", 2, run_less},
        {">", 2, run_greater}, {"<=", 2, run_at_most}, {">=", 2, run_at_least}, {"car", 1, run_car},
        {"cdr", 1, run_cdr}, {"cadr", 1, run_cadr}, {"cddr", 1, run_cddr}, {"pair?", 1, run_is_pair},
        {"null?", 1, run_is_null}, {"not", 1, run_not}, {"zero?", 1, run_is_zero}, {"cons", 2, run_cons},
        {"eq?", 2, run_is_eq}, {"set-car!", 2, run_set_car}, {"set-cdr!", 2, run_set_cdr},
        {"quotient", 2, run_quotient}, {"remainder", 2, run_remainder}, {"vector-ref", 2, run_vector_ref},
        {"vector-set!", 3, run_vector_set}, {"string-ref", 2, run_string_ref}, {"vector", ANY, run_vector},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(name, table[i].name) == 0 && (table[i].count == count || table[i].count == ANY || count == ANY))
            return table[i].run;
    return NULL;
}

/* ---- programs ----------------------------------------------------------------------------------------------------- */

value eval_toplevel(value form) {
    size_t size;
    const struct node *n = compile_toplevel(form, &size);
    return run_body(n, (value *)scanned(size) + 1);
}

/* Reads and runs a whole source. */
void load_port(struct port *port) {
    value outer = me.places;
    for (;;) {
        me.places = make_table(false, false);
        value form = read_datum(port, true);
        if (form == END_OF_FILE)
            break;
        eval_toplevel(form);
    }
    me.places = outer;
}
