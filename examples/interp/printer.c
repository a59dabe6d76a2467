/* printer.c: values -> text, as `write` does (so that it can be read again) or as `display` does. */
#include "memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The shortest decimal that reads back as the same number, always with a point or an exponent. */
static void format_real(double d, char text[72]) {
    if (isnan(d) || isinf(d)) {
        strcpy(text, isnan(d) ? "+nan.0" : d > 0 ? "+inf.0" : "-inf.0");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, 72, "%.*g", digits, d);
        if (strtod(text, NULL) == d)
            break;
    }
    if (strpbrk(text, ".e") == NULL)
        strcat(text, ".0");
}

void format_number(value v, int radix, char text[72]) {
    if (is_real(v)) {
        format_real(real_of(v), text);
        return;
    }
    char digits[72];
    int count = 0;
    intptr_t n = fixnum_of(v);
    for (uintptr_t rest = n < 0 ? -(uintptr_t)n : (uintptr_t)n; rest != 0 || count == 0; rest /= (uintptr_t)radix)
        digits[count++] = "0123456789abcdefghijklmnopqrstuvwxyz"[rest % (uintptr_t)radix];
    if (n < 0)
        *text++ = '-';
    while (count > 0)
        *text++ = digits[--count];
    *text = 0;
}

static void print_character(struct port *port, char c, bool written) {
    if (written)
        port_puts(port, "#\\");
    for (int i = 0; written && char_names[i][0] != NULL; i++)
        if (c == *char_names[i][1]) {
            port_puts(port, char_names[i][0]);
            return;
        }
    port_put(port, &c, 1);
}

static void print_string(struct port *port, value v, bool written) {
    static const char special[] = "\"\\\n\t", *const escapes[] = {"\\\"", "\\\\", "\\n", "\\t"};
    if (!written) {
        port_put(port, bytes_of(v), length_of(v));
        return;
    }
    port_puts(port, "\"");
    for (size_t i = 0; i < length_of(v); i++) {
        const char *at = memchr(special, bytes_of(v)[i], 4);
        if (at != NULL)
            port_puts(port, escapes[at - special]);
        else
            port_put(port, &bytes_of(v)[i], 1);
    }
    port_puts(port, "\"");
}

/* How (quote x) and its kin are written; NULL: this list is none of these. */
static const char *quote_of(value v) {
    static const char *const quotes[][2] = {
        {"quote", "'"}, {"quasiquote", "`"}, {"unquote", ","}, {"unquote-splicing", ",@"},
    };
    if (is(T_SYMBOL, car(v)) && is_pair(cdr(v)) && cdr(cdr(v)) == NIL)
        for (int i = 0; i < 4; i++)
            if (strcmp(bytes_of(symbol_of(car(v))->name), quotes[i][0]) == 0)
                return quotes[i][1];
    return NULL;
}

/* A list that comes back to itself ends with "...". */
static void print_list(struct port *port, value v, bool written) {
    const char *quote = quote_of(v);
    if (quote != NULL) {
        port_puts(port, quote);
        print(port, car(cdr(v)), written);
        return;
    }
    value slow = v;
    port_puts(port, "(");
    print(port, car(v), written);
    for (size_t count = 1; is_pair(v = cdr(v)) && v != slow; count++) {
        port_puts(port, " ");
        print(port, car(v), written);
        if (count % 2 == 1)
            slow = cdr(slow);
    }
    if (v != NIL)
        port_puts(port, is_pair(v) ? " ..." : " . ");
    if (v != NIL && !is_pair(v))
        print(port, v, written);
    port_puts(port, ")");
}

static void print_items(struct port *port, const char *open, value v, bool written) {
    port_puts(port, open);
    for (size_t i = 0; i < length_of(v); i++) {
        if (i > 0)
            port_puts(port, " ");
        print(port, is(T_BYTES, v) ? fixnum((unsigned char)bytes_of(v)[i]) : vector_of(v)->item[i], written);
    }
    port_puts(port, ")");
}

/* "#<type name>", the type without its article. */
static void print_named(struct port *port, value v, value name) {
    port_puts(port, "#<");
    port_puts(port, strchr(type_names[type_of(v)], ' ') + 1);
    if (name != FALSE) {
        port_puts(port, " ");
        print(port, name, false);
    }
    port_puts(port, ">");
}

static void print_record(struct port *port, value v, bool written) {
    const struct record_type *type = record_type_of(me.record_types);
    while (type->record != object_of(v)->header)
        type = record_type_of(type->next);
    port_puts(port, "#<");
    print(port, type->name, false);
    value field = type->fields;
    for (size_t i = 0; i < record_length(v); i++, field = cdr(field)) {
        port_puts(port, i > 0 ? ", " : " ");
        print(port, car(field), false);
        port_puts(port, ": ");
        print(port, vector_of(v)->item[i], written);
    }
    port_puts(port, ">");
}

static void print_object(struct port *port, value v, bool written) {
    switch (type_of(v)) {
    case T_SYMBOL: print(port, symbol_of(v)->name, false); break;
    case T_STRING: print_string(port, v, written); break;
    case T_BYTES: print_items(port, "#u8(", v, written); break;
    case T_VECTOR: print_items(port, "#(", v, written); break;
    case T_CLOSURE: print_named(port, v, closure_of(v)->code->name); break;
    case T_PRIMITIVE: print_named(port, v, make_text(primitive_of(v)->is.name)); break;
    case T_CONDITION: print_named(port, v, condition_of(v)->message); break;
    case T_RECORD: print_record(port, v, written); break;
    case T_RECORD_TYPE: print_named(port, v, record_type_of(v)->name); break;
    default: print_named(port, v, FALSE);
    }
}

void print(struct port *port, value v, bool written) {
    check_stack();
    if (is_fixnum(v) || is_real(v)) {
        char text[72];
        format_number(v, 10, text);
        port_puts(port, text);
    } else if (is_pair(v)) {
        print_list(port, v, written);
    } else if (is_char(v)) {
        print_character(port, (char)char_of(v), written);
    } else if (is_object(v)) {
        print_object(port, v, written);
    } else {
        port_puts(port, v == TRUE ? "#t" : v == FALSE ? "#f" : v == NIL ? "()" : v == END_OF_FILE ? "#<eof>"
                        : v == UNSPECIFIED ? "#<unspecified>" : "#<nothing>");
    }
}
