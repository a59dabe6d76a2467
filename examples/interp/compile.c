/* compile.c: forms -> nodes. Variables become places in frames, and loops become loops.
 *
 * Each activation of a procedure has one frame; what `let` and its kin bind inside takes further slots of it. A
 * reference is then a depth (how many procedures further out) and a slot.
 *
 * A named let or `do` whose name is only called, and only where its value is the value of the loop, needs no procedure:
 * its variables are slots too, and a call of it is a jump. That is tried first. It fails when the loop's body makes a
 * procedure, which could keep the variables of one turn, or when the name is used otherwise; then the loop is compiled
 * again, as the procedure that it is by the book.
 *
 * `tail` says what may become of a form's value: 0, it is the value of the procedure; n, it is the value of the loops
 * from the nth inwards; NOT_TAIL, it is needed here.
 */
#include "memory.h"

#include <string.h>

#define NOT_TAIL UINT32_MAX

struct label {
    struct label *up;
    struct node *loop;
    uint32_t index, count;
    bool failed;
};

struct variable {
    struct variable *next;
    value name;
    uint32_t slot;
    bool checked;                            /* may be met before its definition */
    struct label *label;                     /* the name of a loop: no variable at all */
};

/* What is known while the body of one procedure is compiled. */
struct compiler {
    struct compiler *up;
    struct variable *variables;
    struct label *labels;                    /* the loops around */
    uint32_t next, size;                     /* slots taken now, and at most */
    uint32_t procedures;                     /* made so far in this body */
    const struct place *place;
};

static const struct node *compile(struct compiler *c, value form, uint32_t tail);
static const struct node *compile_body(struct compiler *c, value forms, uint32_t tail);

/* ---- nodes -------------------------------------------------------------------------------------------------------- */

static struct node *make_node(struct compiler *c, run_fn run, size_t count) {
    struct node *n = node_new(sizeof *n + count * sizeof n->part[0]);
    n->run = run;
    n->count = (uint32_t)count;
    n->place = c->place;
    return n;
}

static const struct node *make_constant(struct compiler *c, value v) {
    struct node *n = make_node(c, run_constant, 0);
    n->datum = v;
    return n;
}

static _Noreturn void syntax_fail(struct compiler *c, const char *message, value form) {
    fail_at(c->place, message, list(1, form));
}

/* The form has so many parts, its head included; most < 0: any number. */
static void need_parts(struct compiler *c, value form, intptr_t least, intptr_t most) {
    intptr_t length = list_length(form);
    if (length < least || (most >= 0 && length > most))
        syntax_fail(c, "bad syntax", form);
}

static void need_symbol(struct compiler *c, value name, value form) {
    if (!is(T_SYMBOL, name))
        syntax_fail(c, "not a name to bind", form);
}

#define second(form) car(cdr(form))
#define third(form) car(cdr(cdr(form)))
#define after_second(form) cdr(cdr(form))

/* ---- variables ---------------------------------------------------------------------------------------------------- */

static uint32_t take_slots(struct compiler *c, uint32_t count) {
    uint32_t first = c->next;
    c->next += count;
    if (c->next > c->size)
        c->size = c->next;
    return first;
}

static struct variable *declare(struct compiler *c, value name, uint32_t slot) {
    struct variable *v = scanned(sizeof *v);
    *v = (struct variable){c->variables, name, slot, false, NULL};
    return c->variables = v;
}

static struct variable *find(struct compiler *c, value name, uint32_t *depth) {
    for (*depth = 0; c != NULL; c = c->up, ++*depth)
        for (struct variable *v = c->variables; v != NULL; v = v->next)
            if (v->name == name)
                return v;
    return NULL;
}

/* The end of a scope. Its slots may be taken again, unless a procedure may still see them. */
struct scope { struct variable *variables; uint32_t next, procedures; };
static struct scope scope_open(const struct compiler *c) {
    return (struct scope){c->variables, c->next, c->procedures};
}
static void scope_close(struct compiler *c, struct scope scope) {
    c->variables = scope.variables;
    if (c->procedures == scope.procedures)
        c->next = scope.next;
}

static const struct node *compile_reference(struct compiler *c, value name) {
    uint32_t depth;
    struct variable *v = find(c, name, &depth);
    if (v != NULL && v->label != NULL) {
        v->label->failed = true;
        return make_constant(c, UNSPECIFIED);
    }
    struct node *n = make_node(c, v == NULL ? run_global : depth > 0 || v->checked ? run_variable : run_local, 0);
    n->datum = name;
    n->depth = depth;
    n->slot = v == NULL ? 0 : v->slot;
    return n;
}

static const struct node *make_set(struct compiler *c, uint32_t depth, uint32_t slot, const struct node *v) {
    struct node *n = make_node(c, run_set_variable, 1);
    n->depth = depth;
    n->slot = slot;
    n->part[0] = v;
    return n;
}

/* ---- procedures --------------------------------------------------------------------------------------------------- */

static const struct node *compile_lambda(struct compiler *c, value name, value parameters, value body) {
    struct compiler inner = {.up = c, .place = c->place};
    struct code *code = scanned(sizeof *code);
    struct node *n = make_node(c, run_lambda, 0);
    code->name = name;
    for (; is_pair(parameters); parameters = cdr(parameters), code->required++) {
        need_symbol(c, car(parameters), parameters);
        declare(&inner, car(parameters), take_slots(&inner, 1));
    }
    if (parameters != NIL) {
        need_symbol(c, parameters, parameters);
        declare(&inner, parameters, take_slots(&inner, 1));
        code->rest = true;
    }
    c->procedures++;
    for (struct label *label = c->labels; label != NULL; label = label->up)
        label->failed = true;
    code->body = compile_body(&inner, body, 0);
    code->frame_size = FRAME_LINK + inner.size * sizeof(value);
    code->frames = pool_new(code->frame_size, false);
    n->datum = (value)code;
    return n;
}

/* The meaning of a form's head: a syntax object, or NOTHING. */
static value syntax_of(struct compiler *c, value form) {
    uint32_t depth;
    if (!is_pair(form))
        return NOTHING;
    value head = car(form);
    if (is(T_SYMBOL, head) && find(c, head, &depth) == NULL)
        head = symbol_of(head)->global;
    return is(T_SYNTAX, head) ? head : NOTHING;
}

/* A value that is about to be bound to `name`; a procedure is named after it. */
static const struct node *compile_named(struct compiler *c, value name, value form) {
    if (syntax_of(c, form) == me.x_lambda && list_length(form) >= 3)
        return compile_lambda(c, name, second(form), after_second(form));
    return compile(c, form, NOT_TAIL);
}

static const struct node *compile_jump(struct compiler *c, struct label *label, value form) {
    struct node *n = make_node(c, run_jump, label->count);
    n->datum = (value)label->loop;
    n->slot = label->loop->slot;
    for (uint32_t i = 0; i < label->count; i++, form = cdr(form))
        n->part[i] = compile(c, second(form), NOT_TAIL);
    return n;
}

static const struct node *compile_call(struct compiler *c, value form, uint32_t tail) {
    intptr_t length = list_length(form);
    if (length < 0)
        syntax_fail(c, "a call has to be a list", form);
    uint32_t depth;
    value head = car(form);
    struct variable *v = is(T_SYMBOL, head) ? find(c, head, &depth) : NULL;
    if (v != NULL && v->label != NULL && depth == 0 && tail != NOT_TAIL && v->label->index >= tail
        && v->label->count == length - 1)
        return compile_jump(c, v->label, form);
    struct node *n = make_node(c, call_node(tail == 0, (uint32_t)length - 1), (size_t)length);
    if (v == NULL && is(T_SYMBOL, head) && is(T_PRIMITIVE, symbol_of(head)->global)) {
        const struct primitive *p = primitive_of(n->datum = symbol_of(head)->global);
        run_fn run = p->record != 0 ? record_node(p, (uint32_t)length - 1) : inlined(p->name, (uint32_t)length - 1);
        n->run = run != NULL ? run : n->run;
    }
    for (intptr_t i = 0; i < length; i++, form = cdr(form))
        n->part[i] = compile(c, car(form), NOT_TAIL);
    return n;
}

/* ---- sequences and bodies ----------------------------------------------------------------------------------------- */

static const struct node *compile_sequence(struct compiler *c, value forms, uint32_t tail) {
    intptr_t length = list_length(forms);
    if (length < 0)
        syntax_fail(c, "a body has to be a list", forms);
    if (length == 0)
        return make_constant(c, UNSPECIFIED);
    if (length == 1)
        return compile(c, car(forms), tail);
    struct node *n = make_node(c, run_sequence, (size_t)length);
    for (intptr_t i = 0; i < length; i++, forms = cdr(forms))
        n->part[i] = compile(c, car(forms), i + 1 == length ? tail : NOT_TAIL);
    return n;
}

/* What the expander makes of the form, at the same place of the source. */
static value expand(struct compiler *c, value syntax, value form) {
    need_parts(c, form, 1, -1);
    value expanded = call1(((struct syntax *)object_of(syntax))->expander, form);
    value place = table_get(me.places, form, NOTHING);
    if (is_pair(expanded) && place != NOTHING)
        table_put(me.places, expanded, place);
    return expanded;
}

/* A body's forms with macros at their heads expanded and `begin` spliced in, in reverse. */
static value flatten(struct compiler *c, value forms, value reversed) {
    for (; is_pair(forms); forms = cdr(forms)) {
        value form = car(forms), syntax;
        while ((syntax = syntax_of(c, form)) != NOTHING && ((struct syntax *)object_of(syntax))->compile == NULL)
            form = expand(c, syntax, form);
        reversed = syntax == me.x_begin ? flatten(c, cdr(form), reversed) : cons(form, reversed);
    }
    return reversed;
}

static value defined_name(value form) {
    value name = second(form);
    return is_pair(name) ? car(name) : name;
}

/* A body: the names that it defines are variables from its beginning. */
static const struct node *compile_body(struct compiler *c, value forms, uint32_t tail) {
    forms = reverse_onto(flatten(c, forms, NIL), NIL);
    for (value rest = forms; is_pair(rest); rest = cdr(rest))
        if (syntax_of(c, car(rest)) == me.x_define) {
            need_parts(c, car(rest), 2, -1);
            need_symbol(c, defined_name(car(rest)), car(rest));
            declare(c, defined_name(car(rest)), take_slots(c, 1))->checked = true;
        }
    return compile_sequence(c, forms, tail);
}

/* ---- syntax ------------------------------------------------------------------------------------------------------- */

static const struct node *compile_quote(struct compiler *c, value form, UNUSED uint32_t tail) {
    need_parts(c, form, 2, 2);
    return make_constant(c, second(form));
}

static const struct node *compile_if(struct compiler *c, value form, uint32_t tail) {
    need_parts(c, form, 3, 4);
    struct node *n = make_node(c, run_if, 3);
    n->part[0] = compile(c, second(form), NOT_TAIL);
    n->part[1] = compile(c, third(form), tail);
    form = cdr(after_second(form));
    n->part[2] = form == NIL ? make_constant(c, UNSPECIFIED) : compile(c, car(form), tail);
    return n;
}

static const struct node *compile_define(struct compiler *c, value form, UNUSED uint32_t tail) {
    need_parts(c, form, 2, -1);
    uint32_t depth;
    value name = defined_name(form);
    need_symbol(c, name, form);
    const struct node *v;
    if (is_pair(second(form)))
        v = compile_lambda(c, name, cdr(second(form)), after_second(form));
    else {
        need_parts(c, form, 3, 3);
        v = compile_named(c, name, third(form));
    }
    struct variable *variable = find(c, name, &depth);
    if (variable != NULL && depth == 0 && variable->checked)
        return make_set(c, 0, variable->slot, v);
    if (c->up != NULL || c->variables != NULL)
        syntax_fail(c, "a definition cannot stand here", form);
    struct node *n = make_node(c, run_define, 1);
    n->datum = name;
    n->part[0] = v;
    return n;
}

static const struct node *compile_set(struct compiler *c, value form, UNUSED uint32_t tail) {
    need_parts(c, form, 3, 3);
    need_symbol(c, second(form), form);
    uint32_t depth;
    struct variable *variable = find(c, second(form), &depth);
    const struct node *v = compile(c, third(form), NOT_TAIL);
    if (variable != NULL && variable->label != NULL)
        variable->label->failed = true;
    if (variable != NULL)
        return make_set(c, depth, variable->slot, v);
    struct node *n = make_node(c, run_set_global, 1);
    n->datum = second(form);
    n->part[0] = v;
    return n;
}

static const struct node *compile_lambda_form(struct compiler *c, value form, UNUSED uint32_t tail) {
    need_parts(c, form, 3, -1);
    return compile_lambda(c, FALSE, second(form), after_second(form));
}

static const struct node *compile_begin(struct compiler *c, value form, uint32_t tail) {
    return compile_sequence(c, cdr(form), tail);
}

/* ((name init) ...): how many; each is checked. */
static uint32_t count_bindings(struct compiler *c, value bindings, value form) {
    intptr_t count = list_length(bindings);
    if (count < 0)
        syntax_fail(c, "bad bindings", form);
    for (; is_pair(bindings); bindings = cdr(bindings)) {
        if (list_length(car(bindings)) != 2)
            syntax_fail(c, "a binding is a name and a value", car(bindings));
        need_symbol(c, car(car(bindings)), car(bindings));
    }
    return (uint32_t)count;
}

static void declare_all(struct compiler *c, value bindings, uint32_t slot) {
    for (; is_pair(bindings); bindings = cdr(bindings))
        declare(c, car(car(bindings)), slot++);
}

/* The loop as a loop; NULL when it has to be a procedure. */
static const struct node *compile_loop(struct compiler *c, value name, value bindings, value body, uint32_t count,
                                       uint32_t tail) {
    struct scope scope = scope_open(c);
    struct node *n = make_node(c, run_loop, count + 1);
    struct label label = {c->labels, n, c->labels != NULL ? c->labels->index + 1 : 1, count, false};
    n->slot = take_slots(c, count);
    value rest = bindings;
    for (uint32_t i = 0; i < count; i++, rest = cdr(rest))
        n->part[i] = compile_named(c, car(car(rest)), second(car(rest)));
    declare(c, name, 0)->label = &label;
    declare_all(c, bindings, n->slot);
    c->labels = &label;
    n->part[count] = compile_body(c, body, tail < label.index ? tail : label.index);
    c->labels = label.up;
    scope_close(c, scope);
    return label.failed ? NULL : n;
}

/* The loop as a procedure: ((let () (define (name parameter ...) . body) name) init ...). */
static const struct node *compile_loop_procedure(struct compiler *c, value name, value bindings, value body,
                                                 uint32_t tail) {
    value parameters = NIL, inits = NIL;
    for (value rest = reverse_onto(bindings, NIL); is_pair(rest); rest = cdr(rest)) {
        parameters = cons(car(car(rest)), parameters);
        inits = cons(second(car(rest)), inits);
    }
    value define = cons(me.x_define, cons(cons(name, parameters), body));
    return compile(c, cons(list(4, me.x_let, NIL, define, name), inits), tail);
}

static bool is_member(value item, value items) {
    while (is_pair(items) && car(items) != item)
        items = cdr(items);
    return is_pair(items);
}

static const struct node *compile_named_let(struct compiler *c, value form, uint32_t tail) {
    need_parts(c, form, 4, -1);
    value name = second(form), bindings = third(form), body = cdr(after_second(form));
    uint32_t count = count_bindings(c, bindings, form);
    if (!is_member(form, me.outlined)) {
        const struct node *loop = compile_loop(c, name, bindings, body, count, tail);
        if (loop != NULL)
            return loop;
        me.outlined = cons(form, me.outlined);
    }
    return compile_loop_procedure(c, name, bindings, body, tail);
}

static const struct node *compile_let(struct compiler *c, value form, uint32_t tail) {
    need_parts(c, form, 3, -1);
    if (is(T_SYMBOL, second(form)))
        return compile_named_let(c, form, tail);
    value bindings = second(form);
    uint32_t count = count_bindings(c, bindings, form);
    struct scope scope = scope_open(c);
    struct node *n = make_node(c, run_sequence, count + 1);
    uint32_t slot = take_slots(c, count);
    value rest = bindings;
    for (uint32_t i = 0; i < count; i++, rest = cdr(rest))
        n->part[i] = make_set(c, 0, slot + i, compile_named(c, car(car(rest)), second(car(rest))));
    declare_all(c, bindings, slot);
    n->part[count] = compile_body(c, after_second(form), tail);
    scope_close(c, scope);
    return n;
}

static const struct node *compile_or(struct compiler *c, value form, uint32_t tail) {
    intptr_t length = list_length(form) - 1;
    if (length < 1)
        return make_constant(c, FALSE);
    struct node *n = make_node(c, run_or, (size_t)length);
    for (intptr_t i = 0; i < length; i++, form = cdr(form))
        n->part[i] = compile(c, second(form), i + 1 == length ? tail : NOT_TAIL);
    return n;
}

/* (%guard name body handling): parts: the body; what is done with what was raised, in a slot. */
static const struct node *compile_guard(struct compiler *c, value form, uint32_t tail) {
    need_parts(c, form, 4, 4);
    struct scope scope = scope_open(c);
    struct node *n = make_node(c, run_guard, 2);
    n->slot = take_slots(c, 1);
    n->part[0] = compile(c, third(form), NOT_TAIL);
    declare(c, second(form), n->slot);
    n->part[1] = compile(c, car(cdr(after_second(form))), tail);
    scope_close(c, scope);
    return n;
}

/* ---- any form ----------------------------------------------------------------------------------------------------- */

static const struct node *compile_pair(struct compiler *c, value form, uint32_t tail) {
    value syntax = syntax_of(c, form);
    if (syntax == NOTHING)
        return compile_call(c, form, tail);
    struct syntax *s = (struct syntax *)object_of(syntax);
    return s->compile != NULL ? s->compile(c, form, tail) : compile(c, expand(c, syntax, form), tail);
}

static const struct node *compile(struct compiler *c, value form, uint32_t tail) {
    check_stack();
    if (is(T_SYMBOL, form)) {
        value global = symbol_of(form)->global;
        uint32_t depth;
        if (is(T_SYNTAX, global) && find(c, form, &depth) == NULL)
            syntax_fail(c, "syntax is no value", form);
        return compile_reference(c, form);
    }
    if (form == NIL)
        syntax_fail(c, "an empty call", form);
    if (!is_pair(form))
        return make_constant(c, form);
    const struct place *outer = c->place;
    value place = table_get(me.places, form, NOTHING);
    if (place != NOTHING)
        c->place = (const struct place *)place;
    const struct node *n = compile_pair(c, form, tail);
    c->place = outer;
    return n;
}

const struct node *compile_toplevel(value form, size_t *frame_size) {
    struct compiler c = {0};
    me.outlined = NIL;
    const struct node *n = compile(&c, form, 0);
    me.outlined = NIL;
    *frame_size = FRAME_LINK + c.size * sizeof(value);
    return n;
}

/* The value of `expander`, a procedure, makes of a form another; syntax_of finds it by the name from here on. */
static const struct node *compile_define_expander(struct compiler *c, value form, UNUSED uint32_t tail) {
    need_parts(c, form, 3, 3);
    need_symbol(c, second(form), form);
    value expander = eval_toplevel(third(form));
    struct syntax *syntax = scanned(sizeof *syntax);
    *syntax = (struct syntax){HEADER(T_SYNTAX, 0), NULL, expander};
    define_global(second(form), of(syntax));
    return make_constant(c, UNSPECIFIED);
}

void define_syntax(void) {
    static const struct { const char *name; const struct node *(*compile)(struct compiler *, value, uint32_t); } table[] = {
        {"quote", compile_quote}, {"if", compile_if}, {"define", compile_define}, {"set!", compile_set},
        {"lambda", compile_lambda_form}, {"begin", compile_begin}, {"let", compile_let},
        {"or", compile_or}, {"%guard", compile_guard}, {"define-expander", compile_define_expander},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct syntax *syntax = scanned(sizeof *syntax);
        *syntax = (struct syntax){HEADER(T_SYNTAX, 0), table[i].compile, NOTHING};
        define_global(intern(table[i].name), of(syntax));
    }
    me.x_define = symbol_of(intern("define"))->global;
    me.x_begin = symbol_of(intern("begin"))->global;
    me.x_let = symbol_of(intern("let"))->global;
    me.x_lambda = symbol_of(intern("lambda"))->global;
}
