/* reader.c: text -> values, by recursive descent over the characters of a port.
 *
 * While a source is loaded the reader notes where each list begins, in me.places, for the messages of the compiler and
 * of what it compiles.
 */
#include "memory.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const char_names[][2] = {
    {"space", " "}, {"newline", "\n"}, {"tab", "\t"}, {"return", "\r"}, {"null", "\0"}, {"alarm", "\a"},
    {"backspace", "\b"}, {"delete", "\x7f"}, {"escape", "\x1b"}, {NULL, NULL},
};

static struct place *place_here(const struct port *port) {
    struct place *place = scanned(sizeof *place);
    *place = (struct place){port->name, port->line, port->column};
    return place;
}

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

static int digit_of(char c) {
    return isdigit((unsigned char)c) ? c - '0' : isalpha((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : 99;
}

static value parse_integer(const char *text, int radix) {
    bool minus = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    if (*text == 0)
        return FALSE;
    intptr_t n = 0;
    double wide = 0;
    bool fits = true;
    for (; *text != 0; text++) {
        int digit = digit_of(*text);
        if (digit >= radix)
            return FALSE;
        wide = wide * radix + digit;
        fits = fits && !__builtin_mul_overflow(n, radix, &n) && !__builtin_sub_overflow(n, digit, &n);
    }
    if (fits && (minus ? n >= FIXNUM_MIN : -FIXNUM_MAX <= n))
        return fixnum(minus ? n : -n);
    return real(minus ? -wide : wide);
}

value parse_number(const char *text, size_t length, int radix) {
    char copy[128];
    if (length == 0 || length >= sizeof copy)
        return FALSE;
    memcpy(copy, text, length);
    copy[length] = 0;
    if (strcmp(copy, "+inf.0") == 0 || strcmp(copy, "-inf.0") == 0)
        return real(*copy == '-' ? -INFINITY : INFINITY);
    if (strcmp(copy, "+nan.0") == 0)
        return real(NAN);
    value n = parse_integer(copy, radix);
    if (n != FALSE || radix != 10 || strspn(copy, "+-.0123456789eE") != length || strpbrk(copy, "0123456789") == NULL
        || toupper((unsigned char)*copy) == 'E')
        return n;
    char *end;
    double d = strtod(copy, &end);
    return *end == 0 ? real(d) : FALSE;
}

/* ---- characters and texts ----------------------------------------------------------------------------------------- */

static bool is_delimiter(int c) {
    return c == EOF || isspace(c) || strchr("()\";'`,", c) != NULL;
}

/* Up to the next delimiter, into `text`. */
static size_t read_word(struct port *port, char text[128]) {
    size_t length = 0;
    while (!is_delimiter(port_peek(port))) {
        if (length == 127)
            fail_at(place_here(port), "a word of more than 127 characters", NIL);
        text[length++] = (char)port_get(port);
    }
    text[length] = 0;
    return length;
}

static value read_character(struct port *port, const struct place *place) {
    char text[129] = {(char)port_get(port)};
    size_t length = 1;
    if (isalnum((unsigned char)*text))
        length += read_word(port, text + 1);
    if (length == 1)
        return character((unsigned char)*text);
    for (int i = 0; char_names[i][0] != NULL; i++)
        if (strcmp(text, char_names[i][0]) == 0)
            return character((unsigned char)*char_names[i][1]);
    char *end;
    unsigned long code = *text == 'x' ? strtoul(text + 1, &end, 16) : 256;
    if (code > 255 || *end != 0)
        fail_at(place, "unknown character", list(1, make_text(text)));
    return character((uint32_t)code);
}

static int read_escape(struct port *port, const struct place *place) {
    int c = port_get(port);
    switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case 'a': return '\a';
    case '0': return 0;
    case '\\': case '"': return c;
    case 'x': {
        int code = 0;
        while ((c = port_get(port)) != ';') {
            if (c == EOF || digit_of((char)c) > 15 || (code = code * 16 + digit_of((char)c)) > 255)
                fail_at(place, "bad \\x escape in a string", NIL);
        }
        return code;
    }
    default: fail_at(place, "unknown escape in a string", list(1, character((unsigned char)c)));
    }
}

static value read_string(struct port *port, const struct place *place) {
    value text = open_output_text();
    for (;;) {
        int c = port_get(port);
        if (c == EOF)
            fail_at(place, "this string has no end", NIL);
        if (c == '"')
            return output_text(port_of(text));
        if (c == '\\' && port_peek(port) == '\n') {
            while (isspace(port_peek(port)))
                port_get(port);
            continue;
        }
        char byte = (char)(c == '\\' ? read_escape(port, place) : c);
        port_put(port_of(text), &byte, 1);
    }
}

/* ---- lists -------------------------------------------------------------------------------------------------------- */

static void skip_nested_comment(struct port *port, const struct place *place) {
    int depth = 1, last = 0;
    while (depth > 0) {
        int c = port_get(port);
        if (c == EOF)
            fail_at(place, "this comment has no end", NIL);
        if ((last == '|' && c == '#') || (last == '#' && c == '|')) {
            depth += c == '#' ? -1 : 1;
            c = 0;
        }
        last = c;
    }
}

/* Skips blanks and comments; the next character. */
static int skip_blanks(struct port *port, bool places) {
    for (;;) {
        int c = port_peek(port);
        if (c == ';') {
            while (c != '\n' && c != EOF)
                c = port_get(port);
        } else if (c == '#') {
            const struct place *place = place_here(port);
            port_get(port);
            int next = port_peek(port);
            if (next != '|' && next != ';')
                return '#';                          /* taken; nothing else begins so */
            port_get(port);
            if (next == '|')
                skip_nested_comment(port, place);
            else if (read_datum(port, places) == END_OF_FILE)
                fail_at(place, "#; before the end of the text", NIL);
        } else if (c != EOF && isspace(c)) {
            port_get(port);
        } else {
            return c;
        }
    }
}

static value read_after(struct port *port, int c, const struct place *place, bool places);

static value read_list(struct port *port, const struct place *place, bool places) {
    value first = NIL, last = NIL;
    for (;;) {
        int c = skip_blanks(port, places);
        if (c == EOF)
            fail_at(place, "this list has no end", NIL);
        if (c == ')') {
            port_get(port);
            return first;
        }
        value item = read_after(port, c, place_here(port), places);
        if (item == me.s_dot && last != NIL) {
            cdr(last) = read_datum(port, places);
            if (skip_blanks(port, places) != ')')
                fail_at(place, "bad dot in this list", NIL);
            port_get(port);
            return first;
        }
        value cell = cons(item, NIL);
        if (last == NIL) {
            first = cell;
            if (places)
                table_put(me.places, first, (value)place);
        } else {
            cdr(last) = cell;
        }
        last = cell;
    }
}

static value list_to(enum type type, value items, const struct place *place) {
    size_t length = (size_t)list_length(items);
    value v = type == T_VECTOR ? make_vector(T_VECTOR, length, NIL) : make_bytes(T_BYTES, length);
    for (size_t i = 0; i < length; i++, items = cdr(items)) {
        if (type == T_VECTOR)
            vector_of(v)->item[i] = car(items);
        else if (is_fixnum(car(items)) && (uintptr_t)fixnum_of(car(items)) <= 255)
            bytes_of(v)[i] = (char)fixnum_of(car(items));
        else
            fail_at(place, "not a byte in a bytevector", list(1, car(items)));
    }
    return v;
}

/* What follows a '#'. */
static value read_hash(struct port *port, const struct place *place, bool places) {
    if (port_peek(port) == '(') {
        port_get(port);
        return list_to(T_VECTOR, read_list(port, place, false), place);
    }
    if (port_peek(port) == '\\') {
        port_get(port);
        return read_character(port, place);
    }
    char word[128];
    size_t length = read_word(port, word);
    if (strcmp(word, "t") == 0 || strcmp(word, "true") == 0)
        return TRUE;
    if (strcmp(word, "f") == 0 || strcmp(word, "false") == 0)
        return FALSE;
    if (strcmp(word, "u8") == 0 && port_peek(port) == '(') {
        port_get(port);
        return list_to(T_BYTES, read_list(port, place, places), place);
    }
    int radix = *word == 'x' ? 16 : *word == 'b' ? 2 : *word == 'o' ? 8 : *word == 'd' ? 10 : 0;
    value number = radix != 0 ? parse_number(word + 1, length - 1, radix) : FALSE;
    if (number == FALSE)
        fail_at(place, "unknown syntax after #", list(1, make_text(word)));
    return number;
}

static value read_quoted(struct port *port, value symbol, const struct place *place, bool places) {
    value datum = read_datum(port, places);
    if (datum == END_OF_FILE)
        fail_at(place, "nothing to quote before the end of the text", NIL);
    value form = list(2, symbol, datum);
    if (places)
        table_put(me.places, form, (value)place);
    return form;
}

/* A datum of which `c` is the first character: peeked at, but for '#', which skip_blanks takes. */
static value read_after(struct port *port, int c, const struct place *place, bool places) {
    check_stack();
    if (c == '#')
        return read_hash(port, place, places);
    if (c != EOF && strchr("()\"'`,", c) != NULL)
        port_get(port);
    switch (c) {
    case EOF: return END_OF_FILE;
    case '(': return read_list(port, place, places);
    case ')': fail_at(place, "unexpected )", NIL);
    case '"': return read_string(port, place);
    case '\'': return read_quoted(port, me.s_quote, place, places);
    case '`': return read_quoted(port, me.s_quasiquote, place, places);
    case ',':
        if (port_peek(port) != '@')
            return read_quoted(port, me.s_unquote, place, places);
        port_get(port);
        return read_quoted(port, me.s_unquote_splicing, place, places);
    }
    char word[128];
    size_t length = read_word(port, word);
    value number = isdigit(c) || strchr("+-.", c) != NULL ? parse_number(word, length, 10) : FALSE;
    return number != FALSE ? number : intern_bytes(word, length);
}

/* The next datum, or END_OF_FILE. */
value read_datum(struct port *port, bool places) {
    int c = skip_blanks(port, places);
    return read_after(port, c, place_here(port), places);
}
