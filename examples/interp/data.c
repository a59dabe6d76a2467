/* data.c: procedures on pairs, symbols, characters, strings, bytevectors, vectors, records and procedures. Only what
 * needs to be in C: the prelude makes the others of these.
 */
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

QUESTION(p_is_pair, "pair?", is_pair(v))
QUESTION(p_is_null, "null?", v == NIL)
QUESTION(p_not, "not", v == FALSE)
QUESTION(p_is_list, "list?", list_length(v) >= 0)
QUESTION(p_is_symbol, "symbol?", is(T_SYMBOL, v))
QUESTION(p_is_char, "char?", is_char(v))
QUESTION(p_is_string, "string?", is(T_STRING, v))
QUESTION(p_is_bytes, "bytevector?", is(T_BYTES, v))
QUESTION(p_is_vector, "vector?", is(T_VECTOR, v))
QUESTION(p_is_procedure, "procedure?", is(T_CLOSURE, v) || is(T_PRIMITIVE, v) || is(T_CONTINUATION, v))
PRIMITIVE(p_is_eq, "eq?", 2, 2) { return boolean(arg[0] == arg[1]); }
PRIMITIVE(p_is_eqv, "eqv?", 2, 2) { return boolean(is_eqv(arg[0], arg[1])); }
PRIMITIVE(p_is_equal, "equal?", 2, 2) { return boolean(is_equal(arg[0], arg[1])); }

/* ---- pairs and lists ---------------------------------------------------------------------------------------------- */

PRIMITIVE(p_cons, "cons", 2, 2) { return cons(arg[0], arg[1]); }
PRIMITIVE(p_car, "car", 1, 1) { return car(need_pair(arg[0])); }
PRIMITIVE(p_cdr, "cdr", 1, 1) { return cdr(need_pair(arg[0])); }
PRIMITIVE(p_cadr, "cadr", 1, 1) { return car(need_pair(cdr(need_pair(arg[0])))); }
PRIMITIVE(p_cddr, "cddr", 1, 1) { return cdr(need_pair(cdr(need_pair(arg[0])))); }
PRIMITIVE(p_set_car, "set-car!", 2, 2) { return car(need_pair(arg[0])) = arg[1], UNSPECIFIED; }
PRIMITIVE(p_set_cdr, "set-cdr!", 2, 2) { return cdr(need_pair(arg[0])) = arg[1], UNSPECIFIED; }

static intptr_t need_list(value v) {
    intptr_t length = list_length(v);
    if (length < 0)
        fail_type("a list", v);
    return length;
}

PRIMITIVE(p_length, "length", 1, 1) { return fixnum(need_list(arg[0])); }
PRIMITIVE(p_reverse, "reverse", 1, 1) { return need_list(arg[0]), reverse_onto(arg[0], NIL); }

PRIMITIVE(p_list, "list", 0, -1) { return list(count, arg); }

PRIMITIVE(p_append, "append", 0, -1) {
    value v = count > 0 ? arg[--count] : NIL;
    while (count-- > 0) {
        need_list(arg[count]);
        v = reverse_onto(reverse_onto(arg[count], NIL), v);
    }
    return v;
}

/* ---- symbols and characters --------------------------------------------------------------------------------------- */

/* An index of `v`, which has `length` elements. */
static size_t need_index(value index, value v, size_t length) {
    if (!is_fixnum(index) || (uintptr_t)fixnum_of(index) >= length)
        fail("index out of range:", LIST(index, v));
    return (size_t)fixnum_of(index);
}

PRIMITIVE(p_symbol_to_string, "symbol->string", 1, 1) { return symbol_of(need(T_SYMBOL, arg[0]))->name; }
PRIMITIVE(p_string_to_symbol, "string->symbol", 1, 1) { return intern_string(need(T_STRING, arg[0])); }
PRIMITIVE(p_char_to_integer, "char->integer", 1, 1) { return fixnum(char_of(need_char(arg[0]))); }
PRIMITIVE(p_integer_to_char, "integer->char", 1, 1) {
    return character((uint32_t)need_index(arg[0], arg[0], 256));
}

/* A symbol that no name leads to. */
PRIMITIVE(p_gensym, "gensym", 0, 0) {
    struct symbol *symbol = scanned(sizeof *symbol);
    *symbol = (struct symbol){HEADER(T_SYMBOL, 0), NOTHING, make_text("g")};
    return of(symbol);
}

/* ---- strings and bytevectors: the same, but for what their elements are -------------------------------------------- */

static value element(unsigned char byte, enum type type) { return type == T_STRING ? character(byte) : fixnum(byte); }
static int need_element(value v, enum type type) {
    return type == T_STRING ? (int)char_of(need_char(v)) : (int)need_index(v, v, 256);
}

static value make_filled(enum type type, int count, value *arg) {
    int fill = count > 1 ? need_element(arg[1], type) : 0;
    value v = make_bytes(type, need_size(arg[0]));
    memset(bytes_of(v), fill, length_of(v));
    return v;
}

static char *need_place(enum type type, value *arg) {
    return &bytes_of(arg[0])[need_index(arg[1], arg[0], length_of(need(type, arg[0])))];
}

#define BYTES(what, type, make, length, ref, set)                                                                      \
    PRIMITIVE(p_make_##what, make, 1, 2) { return make_filled(type, count, arg); }                                     \
    PRIMITIVE(p_##what##_length, length, 1, 1) { return fixnum((intptr_t)length_of(need(type, arg[0]))); }             \
    PRIMITIVE(p_##what##_ref, ref, 2, 2) { return element((unsigned char)*need_place(type, arg), type); }              \
    PRIMITIVE(p_##what##_set, set, 3, 3) {                                                                             \
        return *need_place(type, arg) = (char)need_element(arg[2], type), UNSPECIFIED;                                 \
    }
BYTES(string, T_STRING, "make-string", "string-length", "string-ref", "string-set!")
BYTES(bytes, T_BYTES, "make-bytevector", "bytevector-length", "bytevector-u8-ref", "bytevector-u8-set!")

/* (%copy v start end like): a part of a string or bytevector, as an object of the sort of `like`. */
PRIMITIVE(p_copy, "%copy", 4, 4) {
    size_t length = length_of(is(T_BYTES, arg[0]) ? arg[0] : need(T_STRING, arg[0]));
    size_t end = need_index(arg[2], arg[0], length + 1), start = need_index(arg[1], arg[0], end + 1);
    value v = make_bytes(type_of(arg[3]), end - start);
    memcpy(bytes_of(v), bytes_of(arg[0]) + start, end - start);
    return v;
}

PRIMITIVE(p_string_append, "string-append", 0, -1) {
    size_t length = 0;
    for (int i = 0; i < count; i++)
        length += length_of(need(T_STRING, arg[i]));
    value v = make_bytes(T_STRING, length);
    char *to = bytes_of(v);
    for (int i = 0; i < count; i++)
        to = (char *)memcpy(to, bytes_of(arg[i]), length_of(arg[i])) + length_of(arg[i]);
    return v;
}

/* Negative, 0, positive. */
PRIMITIVE(p_string_compare, "%string-compare", 2, 2) {
    size_t a = length_of(need(T_STRING, arg[0])), b = length_of(need(T_STRING, arg[1]));
    int order = memcmp(bytes_of(arg[0]), bytes_of(arg[1]), a < b ? a : b);
    return fixnum(order != 0 ? order : (a > b) - (a < b));
}

/* ---- vectors and records ------------------------------------------------------------------------------------------ */

static value *need_item(value *arg) {
    return &vector_of(arg[0])->item[need_index(arg[1], arg[0], length_of(need(T_VECTOR, arg[0])))];
}

PRIMITIVE(p_make_vector, "make-vector", 1, 2) {
    return make_vector(need_size(arg[0]), count > 1 ? arg[1] : fixnum(0));
}

PRIMITIVE(p_vector_length, "vector-length", 1, 1) { return fixnum((intptr_t)length_of(need(T_VECTOR, arg[0]))); }
PRIMITIVE(p_vector_ref, "vector-ref", 2, 2) { return *need_item(arg); }
PRIMITIVE(p_vector_set, "vector-set!", 3, 3) { return *need_item(arg) = arg[2], UNSPECIFIED; }

PRIMITIVE(p_vector, "vector", 0, -1) {
    value v = make_vector((size_t)count, NIL);
    memcpy(vector_of(v)->item, arg, (size_t)count * sizeof(value));
    return v;
}

PRIMITIVE(p_make_record_type, "%make-record-type", 2, 2) {
    struct record_type *type = scanned(sizeof *type);
    uintptr_t number = me.record_types == NOTHING ? 1 : (record_type_of(me.record_types)->record >> 24) + 1;
    *type = (struct record_type){
        HEADER(T_RECORD_TYPE, 0), RECORD_HEADER(number, need_list(arg[1])), arg[0], arg[1], me.record_types
    };
    return me.record_types = of(type);
}

/* What a record type's procedures are, as long as their calls are not compiled in line; each finds itself in
 * me.call.callee. */
static value *need_field(value v) {
    if (!is_object(v) || object_of(v)->header != me.call.callee->record)
        fail_type("a record of its type", v);
    return &vector_of(v)->item[me.call.callee->field];
}

static value record_new(int count, value *arg) {
    struct vector *v = pool_take(me.call.callee->records, sizeof *v + (size_t)count * sizeof(value));
    v->header = me.call.callee->record;
    memcpy(v->item, arg, (size_t)count * sizeof(value));
    return of(v);
}

static value record_is(UNUSED int count, value *arg) {
    return boolean(is_object(arg[0]) && object_of(arg[0])->header == me.call.callee->record);
}

static value record_ref(UNUSED int count, value *arg) { return *need_field(arg[0]); }
static value record_set(UNUSED int count, value *arg) { return *need_field(arg[0]) = arg[1], UNSPECIFIED; }

/* (%record-procedure sort name type n): sort 0 makes records of n fields; 1 asks; 2 reads field n; 3 writes it. */
PRIMITIVE(p_record_procedure, "%record-procedure", 4, 4) {
    static const primitive_fn sorts[] = {record_new, record_is, record_ref, record_set};
    intptr_t sort = fixnum_of(arg[0]), n = fixnum_of(arg[3]);
    int arity = sort == 0 ? (int)n : sort == 3 ? 2 : 1;
    struct primitive *p = make_primitive(
        (struct procedure){bytes_of(symbol_of(arg[1])->name), sorts[sort], arity, arity});
    p->record = record_type_of(need(T_RECORD_TYPE, arg[2]))->record;
    p->field = (uint32_t)n;
    p->sort = (uint32_t)sort;
    p->records = pool_new(sizeof(struct vector) + (size_t)n * sizeof(value), false);
    return of(p);
}

/* ---- procedures, and the rest -------------------------------------------------------------------------------------- */

PRIMITIVE(p_apply, "apply", 2, -1) {
    intptr_t more = need_list(arg[count - 1]), given = count - 2;
    if (more > 10000)
        fail("too many arguments:", LIST(fixnum(more)));
    value all[given + more + 1];
    memcpy(all, arg + 1, (size_t)given * sizeof(value));
    for (value rest = arg[count - 1]; is_pair(rest); rest = cdr(rest))
        all[given++] = car(rest);
    return tail_apply(arg[0], (int)given, all);
}

PRIMITIVE(p_eval, "eval", 1, 1) { return eval_toplevel(arg[0]); }
PRIMITIVE(p_exit, "exit", 0, 1) {
    exit(count == 0 || arg[0] == TRUE ? 0 : is_fixnum(arg[0]) ? (int)fixnum_of(arg[0]) : 1);
}

PRIMITIVE(p_environment, "get-environment-variable", 1, 1) {
    const char *text = getenv(bytes_of(need(T_STRING, arg[0])));
    return text != NULL ? make_text(text) : FALSE;
}

PRIMITIVE(p_runtime, "runtime", 0, 0) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return real((double)now.tv_sec + (double)now.tv_nsec / 1e9);
}
