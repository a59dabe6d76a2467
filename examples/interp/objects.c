/* objects.c: making objects, symbols, and what is equal.
 *
 * Symbols are interned in a table that keeps none of them: one that nothing else names is reclaimed, and its place in
 * the table reads 0 from then on. A symbol with a global value stays, by the list me.globals.
 */
#include "memory.h"

#include <stdarg.h>
#include <string.h>

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

value make_vector(enum type type, size_t length, value fill) {
    struct vector *vector = scanned(sizeof *vector + length * sizeof(value));
    vector->header = HEADER(type, length);
    for (size_t i = 0; i < length; i++)
        vector->item[i] = fill;
    return of(vector);
}

value list(int count, ...) {
    value items[8];
    va_list arguments;
    va_start(arguments, count);
    for (int i = 0; i < count; i++)
        items[i] = va_arg(arguments, value);
    va_end(arguments);
    value v = NIL;
    while (count > 0)
        v = cons(items[--count], v);
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
    switch (type_of(a)) {
    case T_STRING:
    case T_BYTES:
        return memcmp(bytes_of(a), bytes_of(b), length_of(a)) == 0;
    case T_VECTOR:
        for (size_t i = 0; i < length_of(a); i++)
            if (!is_equal(vector_of(a)->item[i], vector_of(b)->item[i]))
                return false;
        return true;
    default:
        return false;
    }
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

/* ---- symbols ------------------------------------------------------------------------------------------------------ */

/* Open addressing. A place whose symbol has died counts as taken until the table is made anew. */
struct symbols {
    size_t mask, used;
    bool *taken;
    value *symbol;                           /* weak */
};

static void symbols_add(struct symbols *table, value symbol) {
    value name = symbol_of(symbol)->name;
    size_t i = hash_bytes(bytes_of(name), length_of(name)) & table->mask;
    while (table->taken[i])
        i = (i + 1) & table->mask;
    weak_set(&table->symbol[i], symbol);
    table->taken[i] = true;
    table->used++;
}

/* Room for one more: the living move into a table of four times their number. */
static void symbols_grow(void) {
    struct symbols *old = me.symbols, *table = scanned(sizeof *table);
    size_t living = 0, size = 256;
    for (size_t i = 0; old != NULL && i <= old->mask; i++)
        living += old->symbol[i] != NOTHING;
    while (size < 4 * living)
        size *= 2;
    table->mask = size - 1;
    table->taken = memset(plain(size), 0, size);
    table->symbol = weak_new(size);
    for (size_t i = 0; old != NULL && i <= old->mask; i++) {
        value symbol = old->symbol[i];
        if (symbol != NOTHING)
            symbols_add(table, symbol);
    }
    me.symbols = table;
}

value intern_bytes(const char *name, size_t length) {
    if (me.symbols == NULL || 2 * me.symbols->used > me.symbols->mask)
        symbols_grow();
    struct symbols *table = me.symbols;
    for (size_t i = hash_bytes(name, length) & table->mask; table->taken[i]; i = (i + 1) & table->mask) {
        value symbol = table->symbol[i], known = symbol != NOTHING ? symbol_of(symbol)->name : NOTHING;
        if (symbol != NOTHING && length_of(known) == length && memcmp(bytes_of(known), name, length) == 0)
            return symbol;
    }
    struct symbol *symbol = scanned(sizeof *symbol);
    symbol->header = HEADER(T_SYMBOL, 0);
    symbol->name = make_string(name, length);
    symbols_add(table, of(symbol));
    return of(symbol);
}

value intern(const char *name) {
    return intern_bytes(name, strlen(name));
}

/* ---- global variables --------------------------------------------------------------------------------------------- */

void define_global(value symbol, value v) {
    struct symbol *s = symbol_of(symbol);
    if (s->global == NOTHING)
        me.globals = cons(symbol, me.globals);
    else if (is(T_PRIMITIVE, s->global) && inlined(primitive_of(s->global)->name, ANY) != NULL)
        me.pristine = false;
    s->global = v;
}

struct primitive *make_primitive(const char *name, primitive_fn fn, int least, int most) {
    struct primitive *primitive = scanned(sizeof *primitive);
    *primitive = (struct primitive){HEADER(T_PRIMITIVE, 0), fn, name, least, most, 0, 0, 0, NULL};
    return primitive;
}

void define_primitive(const char *name, primitive_fn fn, int least, int most) {
    define_global(intern(name), of(make_primitive(name, fn, least, most)));
}

void define_primitives(const struct table_entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++)
        define_primitive(entries[i].name, entries[i].fn, entries[i].least, entries[i].most);
}
