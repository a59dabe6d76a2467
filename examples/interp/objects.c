/* objects.c: making objects, symbols, and what is equal.
 *
 * Symbols are interned in a weak table, which keeps none of them: one that nothing else names is reclaimed. A symbol
 * with a global value stays, by the list me.globals.
 */
#include "memory.h"

#include <string.h>

const char *const type_names[] = {
    "", "a symbol", "a syntax", "a string", "a bytevector", "a vector", "a procedure", "a procedure", "a continuation",
    "a coroutine", "a hash table", "a port", "an error object", "a record", "a record type",
};

/* ---- making objects ----------------------------------------------------------------------------------------------- */

value cons(value a, value d) {
    struct pair *pair = scanned(sizeof *pair);
    pair->car = a;
    pair->cdr = d;
    return (value)pair | TAG_PAIR;
}

value real(double d) {
    double *place = pool_take(me.reals, sizeof d);
    *place = d;
    return (value)place | TAG_REAL;
}

/* Room for a text or for bytes, which are not set; a 0 follows them. */
value make_bytes(enum type type, size_t length) {
    struct string *string = plain(sizeof *string + length + 1);
    string->header = HEADER(type, length);
    string->bytes[length] = 0;
    return of(string);
}

value make_string(const char *text, size_t length) {
    value string = make_bytes(T_STRING, length);
    memcpy(bytes_of(string), text, length);
    return string;
}

value make_text(const char *text) {
    return make_string(text, strlen(text));
}

value make_vector(size_t length, value fill) {
    struct vector *vector = scanned(sizeof *vector + length * sizeof(value));
    vector->header = HEADER(T_VECTOR, length);
    for (size_t i = 0; i < length; i++)
        vector->item[i] = fill;
    return of(vector);
}

value list(int count, const value *item) {
    value v = NIL;
    while (count > 0)
        v = cons(item[--count], v);
    return v;
}

/* ---- lists -------------------------------------------------------------------------------------------------------- */

intptr_t list_length(value v) {
    intptr_t length = 0;
    for (value slow = v; is_pair(v); v = cdr(v), length++) {
        if (length > 0 && length % 2 == 0 && (slow = cdr(slow)) == v)
            return -1;
    }
    return v == NIL ? length : -1;
}

value reverse_onto(value v, value tail) {
    for (; is_pair(v); v = cdr(v))
        tail = cons(car(v), tail);
    return tail;
}

/* ---- what is equal ------------------------------------------------------------------------------------------------ */

bool is_eqv(value a, value b) {
    return a == b || (is_real(a) && is_real(b) && real_of(a) == real_of(b));
}

bool is_equal(value a, value b) {
    check_stack();
    for (; is_pair(a) && is_pair(b); a = cdr(a), b = cdr(b)) {
        if (a == b)
            return true;
        if (!is_equal(car(a), car(b)))
            return false;
    }
    if (is_eqv(a, b))
        return true;
    if (!is_object(a) || !is_object(b) || object_of(a)->header != object_of(b)->header)
        return false;
    if (is(T_STRING, a) || is(T_BYTES, a))
        return memcmp(bytes_of(a), bytes_of(b), length_of(a)) == 0;
    bool equal = is(T_VECTOR, a);
    for (size_t i = 0; equal && i < length_of(a); i++)
        equal = is_equal(vector_of(a)->item[i], vector_of(b)->item[i]);
    return equal;
}

static size_t hash_bytes(const char *bytes, size_t length) {
    size_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3;
    return hash;
}

/* Equal values have equal hashes. A long or deep value is not read to its end. */
static size_t hash_within(value v, int *budget) {
    size_t hash = 17;
    for (; is_pair(v) && (*budget)-- > 0; v = cdr(v))
        hash = hash * 31 + hash_within(car(v), budget);
    if (is_pair(v))
        return hash;
    if (is_real(v))
        return hash * 31 + hash_bytes((char *)(v - TAG_REAL), real_of(v) == 0 ? 0 : sizeof(double));
    if (is(T_STRING, v) || is(T_BYTES, v))
        return hash * 31 + hash_bytes(bytes_of(v), length_of(v));
    if (is(T_VECTOR, v)) {
        for (size_t i = 0; i < length_of(v) && (*budget)-- > 0; i++)
            hash = hash * 31 + hash_within(vector_of(v)->item[i], budget);
        return hash;
    }
    return hash * 31 + (v ^ v >> 32);
}

size_t hash_equal(value v) {
    int budget = 64;
    return hash_within(v, &budget);
}

/* ---- symbols, and what they mean at first -------------------------------------------------------------------------- */

value intern_string(value name) {
    value known = table_get(me.symbols, name, NOTHING);
    if (known != NOTHING)
        return known;
    struct symbol *symbol = scanned(sizeof *symbol);
    symbol->header = HEADER(T_SYMBOL, 0);
    symbol->name = make_string(bytes_of(name), length_of(name));
    table_put(me.symbols, of(symbol), UNSPECIFIED);
    return of(symbol);
}

value intern(const char *name) { return intern_string(make_text(name)); }

void define_global(value symbol, value v) {
    struct symbol *s = symbol_of(symbol);
    if (s->global == NOTHING)
        me.globals = cons(symbol, me.globals);
    else if (is(T_PRIMITIVE, s->global) && inlined_node(primitive_of(s->global), ANY) != NULL)
        me.pristine = false;
    s->global = v;
}

struct primitive *make_primitive(struct procedure procedure) {
    struct primitive *primitive = scanned(sizeof *primitive);
    *primitive = (struct primitive){.header = HEADER(T_PRIMITIVE, 0), .is = procedure};
    return primitive;
}

void define_syntax(value symbol, struct form form, value expander) {
    struct syntax *syntax = scanned(sizeof *syntax);
    *syntax = (struct syntax){HEADER(T_SYNTAX, 0), form, expander};
    define_global(symbol, of(syntax));
}

/* The linker's names for the beginning and the end of a section. */
extern const struct procedure __start_procedure[], __stop_procedure[];
extern const struct form __start_form[], __stop_form[];

void define_all(void) {
    for (const struct procedure *p = __start_procedure; p < __stop_procedure; p++)
        define_global(intern(p->name), of(make_primitive(*p)));
    for (const struct form *form = __start_form; form < __stop_form; form++)
        define_syntax(intern(form->name), *form, NOTHING);
}
