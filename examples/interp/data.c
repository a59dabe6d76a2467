/* data.c: procedures on pairs, symbols, characters, strings, bytevectors, vectors, records and procedures. Only what
 * needs to be in C: the prelude makes the others of these.
 */
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUESTION(name, condition)                                                                                      \
    PRIMITIVE(name) {                                                                                                  \
        value v = arg[0];                                                                                              \
        return boolean(condition);                                                                                     \
    }
QUESTION(p_is_pair, is_pair(v))
QUESTION(p_is_null, v == NIL)
QUESTION(p_not, v == FALSE)
QUESTION(p_is_symbol, is(T_SYMBOL, v))
QUESTION(p_is_char, is_char(v))
QUESTION(p_is_string, is(T_STRING, v))
QUESTION(p_is_bytes, is(T_BYTES, v))
QUESTION(p_is_vector, is(T_VECTOR, v))
QUESTION(p_is_procedure, is(T_CLOSURE, v) || is(T_PRIMITIVE, v) || is(T_CONTINUATION, v))
QUESTION(p_is_eq, v == arg[1])
QUESTION(p_is_eqv, is_eqv(v, arg[1]))
QUESTION(p_is_equal, is_equal(v, arg[1]))
QUESTION(p_is_list, list_length(v) >= 0)

/* ---- pairs and lists ---------------------------------------------------------------------------------------------- */

PRIMITIVE(p_cons) { return cons(arg[0], arg[1]); }
PRIMITIVE(p_car) { return car(need_pair(arg[0])); }
PRIMITIVE(p_cdr) { return cdr(need_pair(arg[0])); }
PRIMITIVE(p_cadr) { return car(need_pair(cdr(need_pair(arg[0])))); }
PRIMITIVE(p_cddr) { return cdr(need_pair(cdr(need_pair(arg[0])))); }
PRIMITIVE(p_set_car) { return car(need_pair(arg[0])) = arg[1], UNSPECIFIED; }
PRIMITIVE(p_set_cdr) { return cdr(need_pair(arg[0])) = arg[1], UNSPECIFIED; }

static intptr_t need_list(value v) {
    intptr_t length = list_length(v);
    if (length < 0)
        fail_type("a list", v);
    return length;
}

PRIMITIVE(p_length) { return fixnum(need_list(arg[0])); }
PRIMITIVE(p_reverse) { return need_list(arg[0]), reverse_onto(arg[0], NIL); }

PRIMITIVE(p_list) {
    value v = NIL;
    while (count > 0)
        v = cons(arg[--count], v);
    return v;
}

PRIMITIVE(p_append) {
    value v = count > 0 ? arg[--count] : NIL;
    while (count-- > 0) {
        need_list(arg[count]);
        v = reverse_onto(reverse_onto(arg[count], NIL), v);
    }
    return v;
}

/* ---- symbols, characters, strings, bytevectors --------------------------------------------------------------------- */

static value need_string(value v) { return need(T_STRING, v, "a string"); }

/* An index of `v`, which has `length` elements. */
static size_t need_index(value index, value v, size_t length) {
    if (!is_fixnum(index) || (uintptr_t)fixnum_of(index) >= length)
        fail("index out of range:", list(2, index, v));
    return (size_t)fixnum_of(index);
}

static size_t need_size(value v) {
    if (!is_fixnum(v) || fixnum_of(v) < 0 || fixnum_of(v) >= (intptr_t)1 << 47)
        fail_type("a length", v);
    return (size_t)fixnum_of(v);
}

PRIMITIVE(p_symbol_to_string) { return symbol_of(need(T_SYMBOL, arg[0], "a symbol"))->name; }
PRIMITIVE(p_string_to_symbol) { return intern_bytes(bytes_of(need_string(arg[0])), length_of(arg[0])); }

/* A symbol that no name leads to. */
PRIMITIVE(p_gensym) {
    struct symbol *symbol = scanned(sizeof *symbol);
    symbol->header = HEADER(T_SYMBOL, 0);
    symbol->name = make_text("g");
    return of(symbol);
}

PRIMITIVE(p_char_to_integer) {
    if (!is_char(arg[0]))
        fail_type("a character", arg[0]);
    return fixnum(char_of(arg[0]));
}

PRIMITIVE(p_integer_to_char) { return character((uint32_t)need_index(arg[0], arg[0], 256)); }

static char need_byte(enum type type, value v) {
    if (type == T_STRING && !is_char(v))
        fail_type("a character", v);
    return (char)(type == T_STRING ? char_of(v) : need_index(v, v, 256));
}

static value filled(enum type type, int count, value *arg) {
    size_t length = need_size(arg[0]);
    char fill = count > 1 ? need_byte(type, arg[1]) : 0;
    value v = make_bytes(type, length);
    memset(bytes_of(v), fill, length);
    return v;
}

static value set_byte(enum type type, value *arg) {
    bytes_of(arg[0])[need_index(arg[1], arg[0], length_of(arg[0]))] = need_byte(type, arg[2]);
    return UNSPECIFIED;
}

static value need_bytes(value v) { return need(T_BYTES, v, "a bytevector"); }

PRIMITIVE(p_make_string) { return filled(T_STRING, count, arg); }
PRIMITIVE(p_make_bytes) { return filled(T_BYTES, count, arg); }
PRIMITIVE(p_string_length) { return fixnum((intptr_t)length_of(need_string(arg[0]))); }
PRIMITIVE(p_bytes_length) { return fixnum((intptr_t)length_of(need_bytes(arg[0]))); }
PRIMITIVE(p_string_set) { return need_string(arg[0]), set_byte(T_STRING, arg); }
PRIMITIVE(p_bytes_set) { return need_bytes(arg[0]), set_byte(T_BYTES, arg); }

PRIMITIVE(p_string_ref) {
    size_t i = need_index(arg[1], arg[0], length_of(need_string(arg[0])));
    return character((unsigned char)bytes_of(arg[0])[i]);
}

PRIMITIVE(p_bytes_ref) {
    size_t i = need_index(arg[1], arg[0], length_of(need_bytes(arg[0])));
    return fixnum((unsigned char)bytes_of(arg[0])[i]);
}

/* (%copy v start end like): a part of a string or bytevector, as an object of the sort of `like`. */
PRIMITIVE(p_copy) {
    if (!is(T_STRING, arg[0]))
        need_bytes(arg[0]);
    size_t end = need_index(arg[2], arg[0], length_of(arg[0]) + 1), start = need_index(arg[1], arg[0], end + 1);
    value v = make_bytes(type_of(arg[3]), end - start);
    memcpy(bytes_of(v), bytes_of(arg[0]) + start, end - start);
    return v;
}

PRIMITIVE(p_string_append) {
    size_t length = 0;
    for (int i = 0; i < count; i++)
        length += length_of(need_string(arg[i]));
    value v = make_bytes(T_STRING, length);
    char *to = bytes_of(v);
    for (int i = 0; i < count; i++)
        to = (char *)memcpy(to, bytes_of(arg[i]), length_of(arg[i])) + length_of(arg[i]);
    return v;
}

/* Negative, 0, positive. */
PRIMITIVE(p_string_compare) {
    size_t a = length_of(need_string(arg[0])), b = length_of(need_string(arg[1]));
    int order = memcmp(bytes_of(arg[0]), bytes_of(arg[1]), a < b ? a : b);
    return fixnum(order != 0 ? order : (a > b) - (a < b));
}

/* ---- vectors and records ------------------------------------------------------------------------------------------ */

static value need_vector(value v) { return need(T_VECTOR, v, "a vector"); }
static value *need_item(value *arg) {
    return &vector_of(need_vector(arg[0]))->item[need_index(arg[1], arg[0], length_of(arg[0]))];
}

PRIMITIVE(p_make_vector) { return make_vector(T_VECTOR, need_size(arg[0]), count > 1 ? arg[1] : fixnum(0)); }
PRIMITIVE(p_vector_length) { return fixnum((intptr_t)length_of(need_vector(arg[0]))); }
PRIMITIVE(p_vector_ref) { return *need_item(arg); }
PRIMITIVE(p_vector_set) { return *need_item(arg) = arg[2], UNSPECIFIED; }

PRIMITIVE(p_vector) {
    value v = make_vector(T_VECTOR, (size_t)count, NIL);
    for (int i = 0; i < count; i++)
        vector_of(v)->item[i] = arg[i];
    return v;
}

PRIMITIVE(p_make_record_type) {
    struct record_type *type = scanned(sizeof *type), *newest = (struct record_type *)object_of(me.record_types);
    uintptr_t number = me.record_types == NOTHING ? 1 : (newest->record >> 24) + 1;
    *type = (struct record_type){
        HEADER(T_RECORD_TYPE, 0), RECORD_HEADER(number, need_list(arg[1])), arg[0], arg[1], me.record_types
    };
    return me.record_types = of(type);
}

static value *need_field(value v) {
    if (!is_object(v) || object_of(v)->header != me.callee->record)
        fail_type("a record of its type", v);
    return &vector_of(v)->item[me.callee->field];
}

PRIMITIVE(p_record_new) {
    struct vector *v = pool_take(me.callee->records, sizeof *v + (size_t)count * sizeof(value));
    v->header = me.callee->record;
    for (int i = 0; i < count; i++)
        v->item[i] = arg[i];
    return of(v);
}

PRIMITIVE(p_record_is) { return boolean(is_object(arg[0]) && object_of(arg[0])->header == me.callee->record); }
PRIMITIVE(p_record_ref) { return *need_field(arg[0]); }
PRIMITIVE(p_record_set) { return *need_field(arg[0]) = arg[1], UNSPECIFIED; }

/* (%record-procedure sort name type n): sort 0 makes records of n fields; 1 asks; 2 reads field n; 3 writes it. */
PRIMITIVE(p_record_procedure) {
    static const primitive_fn sorts[] = {p_record_new, p_record_is, p_record_ref, p_record_set};
    intptr_t sort = fixnum_of(arg[0]), n = fixnum_of(arg[3]);
    int arity = sort == 0 ? (int)n : sort == 3 ? 2 : 1;
    struct primitive *p = make_primitive(bytes_of(symbol_of(arg[1])->name), sorts[sort], arity, arity);
    p->record = ((struct record_type *)object_of(need(T_RECORD_TYPE, arg[2], "a record type")))->record;
    p->field = (uint32_t)n;
    p->sort = (uint32_t)sort;
    p->records = pool_new(sizeof(struct vector) + (size_t)n * sizeof(value), false);
    return of(p);
}

/* ---- procedures, and the rest -------------------------------------------------------------------------------------- */

PRIMITIVE(p_apply) {
    intptr_t more = need_list(arg[count - 1]), given = count - 2;
    if (more > 10000)
        fail("too many arguments:", list(1, fixnum(more)));
    value all[given + more + 1];
    memcpy(all, arg + 1, (size_t)given * sizeof(value));
    for (value rest = arg[count - 1]; is_pair(rest); rest = cdr(rest))
        all[given++] = car(rest);
    return tail_apply(arg[0], (int)given, all);
}

PRIMITIVE(p_eval) { return eval_toplevel(arg[0]); }
PRIMITIVE(p_exit) { exit(count == 0 || arg[0] == TRUE ? 0 : is_fixnum(arg[0]) ? (int)fixnum_of(arg[0]) : 1); }

PRIMITIVE(p_environment) {
    const char *text = getenv(bytes_of(need_string(arg[0])));
    return text != NULL ? make_text(text) : FALSE;
}

PRIMITIVE(p_runtime) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return real((double)now.tv_sec + (double)now.tv_nsec / 1e9);
}

void define_data(void) {
    static const struct table_entry entries[] = {
        {"pair?", p_is_pair, 1, 1}, {"null?", p_is_null, 1, 1}, {"not", p_not, 1, 1}, {"symbol?", p_is_symbol, 1, 1},
        {"char?", p_is_char, 1, 1}, {"string?", p_is_string, 1, 1}, {"bytevector?", p_is_bytes, 1, 1},
        {"vector?", p_is_vector, 1, 1}, {"procedure?", p_is_procedure, 1, 1}, {"eq?", p_is_eq, 2, 2},
        {"eqv?", p_is_eqv, 2, 2}, {"equal?", p_is_equal, 2, 2}, {"list?", p_is_list, 1, 1}, {"cons", p_cons, 2, 2},
        {"car", p_car, 1, 1}, {"cdr", p_cdr, 1, 1}, {"cadr", p_cadr, 1, 1}, {"cddr", p_cddr, 1, 1},
        {"set-car!", p_set_car, 2, 2}, {"set-cdr!", p_set_cdr, 2, 2}, {"length", p_length, 1, 1},
        {"reverse", p_reverse, 1, 1}, {"list", p_list, 0, -1}, {"append", p_append, 0, -1},
        {"symbol->string", p_symbol_to_string, 1, 1}, {"string->symbol", p_string_to_symbol, 1, 1},
        {"gensym", p_gensym, 0, 0}, {"char->integer", p_char_to_integer, 1, 1},
        {"integer->char", p_integer_to_char, 1, 1}, {"make-string", p_make_string, 1, 2},
        {"make-bytevector", p_make_bytes, 1, 2}, {"string-length", p_string_length, 1, 1},
        {"bytevector-length", p_bytes_length, 1, 1}, {"string-set!", p_string_set, 3, 3},
        {"bytevector-u8-set!", p_bytes_set, 3, 3}, {"string-ref", p_string_ref, 2, 2},
        {"bytevector-u8-ref", p_bytes_ref, 2, 2}, {"%copy", p_copy, 4, 4}, {"string-append", p_string_append, 0, -1},
        {"%string-compare", p_string_compare, 2, 2}, {"make-vector", p_make_vector, 1, 2},
        {"vector-length", p_vector_length, 1, 1}, {"vector-ref", p_vector_ref, 2, 2},
        {"vector-set!", p_vector_set, 3, 3}, {"vector", p_vector, 0, -1},
        {"%make-record-type", p_make_record_type, 2, 2}, {"%record-procedure", p_record_procedure, 4, 4},
        {"apply", p_apply, 2, -1}, {"eval", p_eval, 1, 1}, {"exit", p_exit, 0, 1}, {"runtime", p_runtime, 0, 0},
        {"get-environment-variable", p_environment, 1, 1},
    };
    DEFINE_ALL(entries);
}
