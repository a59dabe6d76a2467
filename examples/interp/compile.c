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
static const struct node *compile_lambda_form(struct compiler *c, value form, uint32_t tail);
static const struct node *compile_begin(struct compiler *c, value form, uint32_t tail);
static const struct node *compile_define(struct compiler *c, value form, uint32_t tail);

/* ---- nodes -------------------------------------------------------------------------------------------------------- */

static struct node *make_node(struct compiler *c, run_fn run, value datum, size_t count) {
    struct node *n = node_new(sizeof *n + count * sizeof n->part[0]);
    n->run = run;
    n->datum = datum;
    n->count = (uint32_t)count;
    n->place = c->place;
    return n;
}

static const struct node *make_constant(struct compiler *c, value v) { return make_node(c, run_constant, v, 0); }

static struct node *make_unary(struct compiler *c, run_fn run, value datum, const struct node *part) {
    struct node *n = make_node(c, run, datum, 1);
    n->part[0] = part;
    return n;
}

static _Noreturn void syntax_fail(struct compiler *c, const char *message, value form) {
    fail_at(c->place, message, LIST(form));
}

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
static void scope_close(struct compiler *c, const struct compiler *before) {
    c->variables = before->variables;
    c->labels = before->labels;
    if (c->procedures == before->procedures)
        c->next = before->next;
}

static const struct node *compile_reference(struct compiler *c, value name) {
    uint32_t depth;
    struct variable *v = find(c, name, &depth);
    if (v != NULL && v->label != NULL) {
        v->label->failed = true;
        return make_constant(c, UNSPECIFIED);
    }
    run_fn run = v == NULL ? run_global : depth > 0 || v->checked ? run_variable : run_local;
    struct node *n = make_node(c, run, name, 0);
    n->depth = depth;
    n->slot = v == NULL ? 0 : v->slot;
    return n;
}

static const struct node *make_set(struct compiler *c, uint32_t depth, uint32_t slot, const struct node *v) {
    struct node *n = make_unary(c, run_set_variable, NOTHING, v);
    n->depth = depth;
    n->slot = slot;
    return n;
}

/* ---- procedures --------------------------------------------------------------------------------------------------- */

static const struct node *compile_lambda(struct compiler *c, value name, value parameters, value body) {
    struct compiler inner = {.up = c, .place = c->place};
    struct code *code = scanned(sizeof *code);
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
    return make_node(c, run_lambda, (value)code, 0);
}

/* What the head of a form says to the compiler; NULL: nothing, it is a call. */
static const struct syntax *meaning_of(struct compiler *c, value head) {
    uint32_t depth;
    if (is(T_SYMBOL, head) && find(c, head, &depth) == NULL)
        head = symbol_of(head)->global;
    return is(T_SYNTAX, head) ? syntax_of(head) : NULL;
}

static bool means(struct compiler *c, value form, compile_fn fn) {
    const struct syntax *syntax = is_pair(form) ? meaning_of(c, car(form)) : NULL;
    return syntax != NULL && syntax->is.compile == fn;
}

/* A value that is about to be bound to `name`; a procedure is named after it. */
static const struct node *compile_named(struct compiler *c, value name, value form) {
    if (means(c, form, compile_lambda_form) && list_length(form) >= 3)
        return compile_lambda(c, name, second(form), after_second(form));
    return compile(c, form, NOT_TAIL);
}

static const struct node *compile_jump(struct compiler *c, struct label *label, value form) {
    struct node *n = make_node(c, run_jump, (value)label->loop, label->count);
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
    struct node *n = make_node(c, call_node(tail == 0, (uint32_t)length - 1), NOTHING, (size_t)length);
    if (v == NULL && is(T_SYMBOL, head) && is(T_PRIMITIVE, symbol_of(head)->global)) {
        n->datum = symbol_of(head)->global;
        run_fn run = inlined_node(primitive_of(n->datum), (uint32_t)length - 1);
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
    struct node *n = make_node(c, run_sequence, NOTHING, (size_t)length);
    for (intptr_t i = 0; i < length; i++, forms = cdr(forms))
        n->part[i] = compile(c, car(forms), i + 1 == length ? tail : NOT_TAIL);
    return n;
}

/* What the expander makes of the form, at the same place of the source. */
static value expand(struct compiler *c, value form) {
    need_parts(c, form, 1, -1);
    value expanded = call1(meaning_of(c, car(form))->expander, form), place = table_get(me.places, form, NOTHING);
    if (is_pair(expanded) && place != NOTHING)
        table_put(me.places, expanded, place);
    return expanded;
}

/* A body's forms with macros at their heads expanded and `begin` spliced in, in reverse. */
static value flatten(struct compiler *c, value forms, value reversed) {
    for (; is_pair(forms); forms = cdr(forms)) {
        value form = car(forms);
        while (means(c, form, NULL))
            form = expand(c, form);
        reversed = means(c, form, compile_begin) ? flatten(c, cdr(form), reversed) : cons(form, reversed);
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
        if (means(c, car(rest), compile_define)) {
            need_parts(c, car(rest), 2, -1);
            need_symbol(c, defined_name(car(rest)), car(rest));
            declare(c, defined_name(car(rest)), take_slots(c, 1))->checked = true;
        }
    return compile_sequence(c, forms, tail);
}

/* ---- syntax ------------------------------------------------------------------------------------------------------- */

SYNTAX(compile_quote, "quote", 2, 2) { return make_constant(c, second(form)); }

SYNTAX(compile_if, "if", 3, 4) {
    struct node *n = make_node(c, run_if, NOTHING, 3);
    n->part[0] = compile(c, second(form), NOT_TAIL);
    n->part[1] = compile(c, third(form), tail);
    form = cdr(after_second(form));
    n->part[2] = form == NIL ? make_constant(c, UNSPECIFIED) : compile(c, car(form), tail);
    return n;
}

SYNTAX(compile_define, "define", 2, -1) {
    uint32_t depth;
    value name = defined_name(form);
    need_symbol(c, name, form);
    bool is_procedure = is_pair(second(form));
    need_parts(c, form, 3, is_procedure ? -1 : 3);
    const struct node *v = is_procedure ? compile_lambda(c, name, cdr(second(form)), after_second(form))
                                        : compile_named(c, name, third(form));
    struct variable *variable = find(c, name, &depth);
    if (variable != NULL && depth == 0 && variable->checked)
        return make_set(c, 0, variable->slot, v);
    if (c->up != NULL || c->variables != NULL)
        syntax_fail(c, "a definition cannot stand here", form);
    return make_unary(c, run_define, name, v);
}

SYNTAX(compile_set, "set!", 3, 3) {
    need_symbol(c, second(form), form);
    uint32_t depth;
    struct variable *variable = find(c, second(form), &depth);
    const struct node *v = compile(c, third(form), NOT_TAIL);
    if (variable != NULL && variable->label != NULL)
        variable->label->failed = true;
    if (variable != NULL)
        return make_set(c, depth, variable->slot, v);
    return make_unary(c, run_set_global, second(form), v);
}

SYNTAX(compile_lambda_form, "lambda", 3, -1) { return compile_lambda(c, FALSE, second(form), after_second(form)); }
SYNTAX(compile_begin, "begin", 1, -1) { return compile_sequence(c, cdr(form), tail); }

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

/* `let`: its variables in slots, then its body. With a name it is a loop, or NULL when it has to be a procedure. */
static const struct node *compile_bindings(struct compiler *c, value name, value bindings, value body, uint32_t tail) {
    const struct compiler before = *c;
    uint32_t count = (uint32_t)list_length(bindings), slot = take_slots(c, count);
    struct node *n = make_node(c, run_loop, NOTHING, count + 1);
    struct label label = {c->labels, n, c->labels != NULL ? c->labels->index + 1 : 1, count, false};
    n->slot = slot;
    value rest = bindings;
    for (uint32_t i = 0; i < count; i++, rest = cdr(rest))
        n->part[i] = compile_named(c, car(car(rest)), second(car(rest)));
    if (name != NOTHING) {
        declare(c, name, 0)->label = c->labels = &label;
        tail = tail < label.index ? tail : label.index;
    }
    for (; is_pair(bindings); bindings = cdr(bindings))
        declare(c, car(car(bindings)), slot++);
    n->part[count] = compile_body(c, body, tail);
    scope_close(c, &before);
    return label.failed ? NULL : n;
}

/* The loop as a procedure, in a variable that the inits do not see. */
static const struct node *compile_loop_procedure(struct compiler *c, value name, value bindings, value body,
                                                 uint32_t count, uint32_t tail) {
    const struct compiler before = *c;
    struct node *n = make_node(c, call_node(tail == 0, count), NOTHING, count + 1);
    struct node *procedure = make_node(c, run_sequence, NOTHING, 2);
    value parameters = NIL;
    for (value rest = bindings; is_pair(rest); rest = cdr(rest))
        parameters = cons(car(car(rest)), parameters);
    uint32_t slot = take_slots(c, 1);
    declare(c, name, slot);
    procedure->part[0] = make_set(c, 0, slot, compile_lambda(c, name, reverse_onto(parameters, NIL), body));
    procedure->part[1] = compile_reference(c, name);
    scope_close(c, &before);
    n->part[0] = procedure;
    for (uint32_t i = 0; i < count; i++, bindings = cdr(bindings))
        n->part[i + 1] = compile_named(c, car(car(bindings)), second(car(bindings)));
    return n;
}

SYNTAX(compile_let, "let", 3, -1) {
    bool named = is(T_SYMBOL, second(form));
    need_parts(c, form, named ? 4 : 3, -1);
    value name = named ? second(form) : NOTHING, rest = named ? cdr(cdr(form)) : cdr(form);
    uint32_t count = count_bindings(c, car(rest), form);
    bool outlined = table_get(me.outlined, form, FALSE) == TRUE;
    const struct node *n = outlined ? NULL : compile_bindings(c, name, car(rest), cdr(rest), tail);
    if (n != NULL)
        return n;
    table_put(me.outlined, form, TRUE);
    return compile_loop_procedure(c, name, car(rest), cdr(rest), count, tail);
}

SYNTAX(compile_or, "or", 1, -1) {
    if (cdr(form) == NIL)
        return make_constant(c, FALSE);
    struct node *n = make_node(c, run_or, NOTHING, (size_t)list_length(form) - 1);
    for (uint32_t i = 0; i < n->count; i++, form = cdr(form))
        n->part[i] = compile(c, second(form), i + 1 == n->count ? tail : NOT_TAIL);
    return n;
}

/* (%guard name body handling): parts: the body; what is done with what was raised, in a slot. */
SYNTAX(compile_guard, "%guard", 4, 4) {
    const struct compiler before = *c;
    struct node *n = make_node(c, run_guard, NOTHING, 2);
    n->slot = take_slots(c, 1);
    n->part[0] = compile(c, third(form), NOT_TAIL);
    declare(c, second(form), n->slot);
    n->part[1] = compile(c, car(cdr(after_second(form))), tail);
    scope_close(c, &before);
    return n;
}

/* A new meaning of a name: `expander`, a procedure that makes of a form another. */
SYNTAX(compile_define_expander, "define-expander", 3, 3) {
    need_symbol(c, second(form), form);
    define_syntax(second(form), (struct form){0}, eval_toplevel(third(form)));
    return make_constant(c, UNSPECIFIED);
}

/* ---- any form ----------------------------------------------------------------------------------------------------- */

static const struct node *compile_pair(struct compiler *c, value form, uint32_t tail) {
    const struct syntax *syntax = meaning_of(c, car(form));
    if (syntax == NULL)
        return compile_call(c, form, tail);
    if (syntax->is.compile == NULL)
        return compile(c, expand(c, form), tail);
    need_parts(c, form, syntax->is.least, syntax->is.most);
    return syntax->is.compile(c, form, tail);
}

static const struct node *compile(struct compiler *c, value form, uint32_t tail) {
    check_stack();
    if (form == NIL)
        syntax_fail(c, "an empty call", form);
    if (is(T_SYMBOL, form)) {
        if (meaning_of(c, form) != NULL)
            syntax_fail(c, "syntax is no value", form);
        return compile_reference(c, form);
    }
    if (!is_pair(form))
        return make_constant(c, form);
    const struct place *outer = c->place;
    c->place = (const struct place *)table_get(me.places, form, (value)outer);
    const struct node *n = compile_pair(c, form, tail);
    c->place = outer;
    return n;
}

const struct node *compile_toplevel(value form, size_t *frame_size) {
    struct compiler c = {0};
    me.outlined = make_table(BY_EQV, false);
    const struct node *n = compile(&c, form, 0);
    *frame_size = FRAME_LINK + c.size * sizeof(value);
    return n;
}
