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

value run_constant(const struct node *n, UNUSED value *f) { return n->datum; }
value run_local(const struct node *n, value *f) { return f[n->slot]; }

static inline value *frame_at(value *f, uint32_t depth) {
    while (depth-- > 0)
        f = frame_around(f);
    return f;
}

value run_variable(const struct node *n, value *f) {
    value v = frame_at(f, n->depth)[n->slot];
    if (UNLIKELY(v == NOTHING))
        fail_at(n->place, "used before its definition", LIST(n->datum));
    return v;
}

value run_global(const struct node *n, UNUSED value *f) {
    value v = symbol_of(n->datum)->global;
    if (UNLIKELY(v == NOTHING))
        fail_at(n->place, "unbound variable", LIST(n->datum));
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
        fail_at(n->place, "unbound variable", LIST(n->datum));
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
        if (v != JUMP || me.call.body != n)
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
    me.call.body = (const struct node *)n->datum;
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
        const struct node *body = me.call.body;
        v = body->run(body, me.call.frame);
    }
    return v;
}

static inline value run_body(const struct node *body, value *f) {
    check_stack();
    return run_tails(body->run(body, f));
}

static inline value leave_for(const struct node *body, value *f) {
    me.call.body = body;
    me.call.frame = f;
    return TAIL;
}

static _Noreturn void fail_count(value f, int count, int least, int most) {
    fail(most == least ? "wrong number of arguments: expected" : "wrong number of arguments: expected at least",
         LIST(fixnum(least), intern("got"), fixnum(count), f));
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
    if (code->rest)
        f[required] = list(count - required, arg + required);
    return f;
}

value tail_apply(value f, int count, value *arg) {
    me.call.callee = NULL;
    if (is(T_CLOSURE, f)) {
        value *frame = bind(closure_of(f), count, arg);
        return leave_for(closure_of(f)->code->body, frame);
    }
    if (is(T_PRIMITIVE, f)) {
        const struct primitive *primitive = me.call.callee = primitive_of(f);
        if (count < primitive->is.least || (count > primitive->is.most && primitive->is.most >= 0))
            fail_count(f, count, primitive->is.least, primitive->is.most);
        return primitive->is.fn(count, arg);
    }
    if (is(T_CONTINUATION, f) && count == 1)
        throw_to(f, arg[0]);
    fail("not a procedure", LIST(f));
}

value apply(value f, int count, value *arg) {
    if (is(T_CLOSURE, f)) {
        value *frame = bind(closure_of(f), count, arg);
        return run_body(closure_of(f)->code->body, frame);
    }
    return run_tails(tail_apply(f, count, arg));
}

value call1(value f, value a) { return apply(f, 1, &a); }

/* Any call at all. */
static value call_any(const struct node *n, value *f, value callee) {
    value arg[n->count];
    for (uint32_t i = 1; i < n->count; i++)
        arg[i - 1] = eval(n->part[i], f);
    me.call.node = n;
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

#define CALLS(name, count)                                                                                             \
    static value run_call_##name(const struct node *n, value *f) { return call(n, f, count, false); }                  \
    static value run_tail_call_##name(const struct node *n, value *f) { return call(n, f, count, true); }
CALLS(0, 0)
CALLS(1, 1)
CALLS(2, 2)
CALLS(3, 3)
CALLS(4, 4)
CALLS(any, n->count - 1)

run_fn call_node(bool tail, uint32_t count) {
    static const run_fn runs[][2] = {
        {run_call_0, run_tail_call_0}, {run_call_1, run_tail_call_1}, {run_call_2, run_tail_call_2},
        {run_call_3, run_tail_call_3}, {run_call_4, run_tail_call_4}, {run_call_any, run_tail_call_any},
    };
    return runs[count < 5 ? count : 5][tail];
}

/* (guard (name clause ...) body ...): parts: the body; the clauses, with what was raised in a slot. */
value run_guard(const struct node *n, value *f) {
    struct catch c;
    catch_enter(&c);
    if (setjmp(c.jump) != 0) {
        f[n->slot] = catch_land(&c);
        return eval(n->part[1], f);
    }
    me.stack.handlers = cons(c.continuation, me.stack.handlers);
    value v = eval(n->part[0], f);
    catch_leave(&c);
    return v;
}

/* ---- primitives in line -------------------------------------------------------------------------------------------- */

/* What the fast way does not do. */
static value slowly(const struct node *n, value *f, int count, value *arg) {
    me.call.node = n;
    return apply(eval(n->part[0], f), count, arg);
}

/* A call of `count` arguments, which are a, b and c. `quick` says whether `result` is what it gives; in both, n->datum
 * is the primitive that the name meant, and `number` is room for a number. */
#define INLINE_IF(run, count, quick, result)                                                                           \
    static value run(const struct node *n, value *f) {                                                                 \
        UNUSED intptr_t number;                                                                                        \
        value a = eval(n->part[1], f);                                                                                 \
        value b = count > 1 ? eval(n->part[2], f) : NIL, c = count > 2 ? eval(n->part[3], f) : NIL;                    \
        if (LIKELY(quick))                                                                                             \
            return result;                                                                                             \
        return slowly(n, f, count, (value[]){a, b, c});                                                                \
    }
#define INLINE(run, name, count, quick, result)                                                                        \
    INLINE_IF(run, count, me.pristine && (quick), result)                                                              \
    DEFINE(inlined, run) = {name, count, run};

/* Two numbers of the same sort. */
static inline bool fixnums(value a, value b) { return LIKELY(a & b & 1); }
static inline bool reals(value a, value b) { return is_real(a) && is_real(b); }
#define ARITHMETIC(run, name, overflows, operator)                                                                     \
    INLINE(run, name, 2, fixnums(a, b) ? !(overflows) : reals(a, b),                                                   \
           fixnums(a, b) ? (value)number : real(real_of(a) operator real_of(b)))
#define COMPARISON(run, name, operator)                                                                                \
    INLINE(run, name, 2, fixnums(a, b) || reals(a, b),                                                                 \
           boolean(fixnums(a, b) ? (intptr_t)a operator(intptr_t) b : real_of(a) operator real_of(b)))

/* 2x + 1 stands for x: the sum of two such words is one too large, their difference one too small. */
ARITHMETIC(run_add, "+", __builtin_add_overflow((intptr_t)a, (intptr_t)(b - 1), &number), +)
ARITHMETIC(run_subtract, "-", __builtin_sub_overflow((intptr_t)a, (intptr_t)(b - 1), &number), -)
ARITHMETIC(run_multiply, "*", __builtin_mul_overflow((intptr_t)(a - 1), fixnum_of(b), &number) || (number++, false), *)
COMPARISON(run_equals, "=", ==)
COMPARISON(run_less, "<", <)
COMPARISON(run_greater, ">", >)
COMPARISON(run_at_most, "<=", <=)
COMPARISON(run_at_least, ">=", >=)
INLINE(run_is_zero, "zero?", 1, is_fixnum(a), boolean(a == fixnum(0)))
INLINE(run_quotient, "quotient", 2, fixnums(a, b) && fixnum_of(b) > 0, fixnum(fixnum_of(a) / fixnum_of(b)))
INLINE(run_remainder, "remainder", 2, fixnums(a, b) && fixnum_of(b) > 0, fixnum(fixnum_of(a) % fixnum_of(b)))
INLINE(run_modulo, "modulo", 2, fixnums(a, b) && fixnum_of(a) >= 0 && fixnum_of(b) > 0,
       fixnum(fixnum_of(a) % fixnum_of(b)))

INLINE(run_cons, "cons", 2, true, cons(a, b))
INLINE(run_car, "car", 1, is_pair(a), car(a))
INLINE(run_cdr, "cdr", 1, is_pair(a), cdr(a))
INLINE(run_cadr, "cadr", 1, is_pair(a) && is_pair(cdr(a)), car(cdr(a)))
INLINE(run_cddr, "cddr", 1, is_pair(a) && is_pair(cdr(a)), cdr(cdr(a)))
INLINE(run_set_car, "set-car!", 2, is_pair(a), (car(a) = b, UNSPECIFIED))
INLINE(run_set_cdr, "set-cdr!", 2, is_pair(a), (cdr(a) = b, UNSPECIFIED))
INLINE(run_is_pair, "pair?", 1, true, boolean(is_pair(a)))
INLINE(run_is_null, "null?", 1, true, boolean(a == NIL))
INLINE(run_not, "not", 1, true, boolean(a == FALSE))
INLINE(run_is_eq, "eq?", 2, true, boolean(a == b))

static inline bool is_index(enum type type, value v, value i) {
    return is(type, v) && is_fixnum(i) && (uintptr_t)fixnum_of(i) < length_of(v);
}
INLINE(run_vector_ref, "vector-ref", 2, is_index(T_VECTOR, a, b), vector_of(a)->item[fixnum_of(b)])
INLINE(run_vector_set, "vector-set!", 3, is_index(T_VECTOR, a, b), (vector_of(a)->item[fixnum_of(b)] = c, UNSPECIFIED))
INLINE(run_string_ref, "string-ref", 2, is_index(T_STRING, a, b), character((unsigned char)bytes_of(a)[fixnum_of(b)]))

/* (vector a ...) of any length */
static value run_vector(const struct node *n, value *f) {
    uint32_t count = n->count - 1;
    if (UNLIKELY(!me.pristine))
        return run_call_any(n, f);
    struct vector *v = scanned(sizeof *v + count * sizeof(value));
    v->header = HEADER(T_VECTOR, count);
    for (uint32_t i = 0; i < count; i++)
        v->item[i] = eval(n->part[i + 1], f);
    return of(v);
}
DEFINE(inlined, run_vector) = {"vector", ANY, run_vector};

/* The procedures of record types, for as long as the name has this meaning. */
static inline bool has_meaning(const struct node *n) {
    return LIKELY(symbol_of(n->part[0]->datum)->global == n->datum);
}

static inline bool is_record(const struct node *n, value v) {
    return has_meaning(n) && is_object(v) && LIKELY(object_of(v)->header == primitive_of(n->datum)->record);
}

static value run_record_new(const struct node *n, value *f) {
    const struct primitive *p = primitive_of(n->datum);
    if (!has_meaning(n))
        return run_call_any(n, f);
    uint32_t count = n->count - 1;
    struct vector *v = pool_take(p->records, sizeof *v + count * sizeof(value));
    for (uint32_t i = 0; i < count; i++)
        v->item[i] = eval(n->part[i + 1], f);
    v->header = p->record;
    return of(v);
}

#define FIELD(v) vector_of(v)->item[primitive_of(n->datum)->field]
INLINE_IF(run_record_is, 1, has_meaning(n), boolean(is_record(n, a)))
INLINE_IF(run_record_ref, 1, is_record(n, a), FIELD(a))
INLINE_IF(run_record_set, 2, is_record(n, a), (FIELD(a) = b, UNSPECIFIED))

extern const struct inlined __start_inlined[], __stop_inlined[];

run_fn inlined_node(const struct primitive *p, uint32_t count) {
    static const run_fn records[] = {run_record_new, run_record_is, run_record_ref, run_record_set};
    if (p->record != 0)
        return (int)count == p->is.least ? records[p->sort] : NULL;
    for (const struct inlined *i = __start_inlined; i < __stop_inlined; i++)
        if (strcmp(p->is.name, i->name) == 0 && (i->count == count || i->count == ANY || count == ANY))
            return i->run;
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
    value outer = me.places, form;
    port->noting = true;
    while (me.places = make_table(BY_EQV, false), (form = read_datum(port)) != END_OF_FILE)
        eval_toplevel(form);
    me.places = outer;
}
