/* reader.c: text -> values, by recursive descent over the characters of a port.
 *
 * While a source is loaded the reader notes where each list begins, in me.places, for the messages of the compiler and
 * of what it compiles.
 */
#include "memory.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DOT CONSTANT(8)                      /* what the word "." is read as, which only a list may hold */

const char *const char_names[][2] = {
    {"space", " "}, {"newline", "\n"}, {"tab", "\t"}, {"return", "\r"}, {"null", "\0"}, {"alarm", "\a"},
    {"backspace", "\b"}, {"delete", "\x7f"}, {"escape", "\x1b"}, {NULL, NULL},
};

/* Of the character that was taken last; it is none at the end of a line. */
static const struct place *place_here(const struct port *port) {
    struct place *place = scanned(sizeof *place);
    *place = (struct place){port->name, port->line, port->column - 1};
    return place;
}

static value note(const struct port *port, value form, const struct place *place) {
    if (port->noting)
        table_put(me.places, form, (value)place);
    return form;
}

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

static int digit_of(int c) { return isdigit(c) ? c - '0' : isalpha(c) ? tolower(c) - 'a' + 10 : 99; }

/* The number that the whole text is. A decimal integer that does not fit becomes a real. */
value parse_number(const char *text, size_t length, int radix) {
    const char *digits = text + (*text == '-' || *text == '+');
    size_t count = 0;
    while (digit_of((unsigned char)digits[count]) < radix)
        count++;
    if (count > 0 && digits + count == text + length) {
        errno = 0;
        long n = strtol(text, NULL, radix);
        if (errno == 0 && n >= FIXNUM_MIN && n <= FIXNUM_MAX)
            return fixnum(n);
    }
    if (radix != 10)
        return FALSE;
    char *end;
    double d = strtod(text, &end);
    if (strcmp(text, "+inf.0") == 0 || strcmp(text, "-inf.0") == 0 || strcmp(text, "+nan.0") == 0)
        return real(d);
    return length > 0 && strspn(text, "+-.0123456789eE") == length && end == text + length ? real(d) : FALSE;
}

/* ---- characters and texts ----------------------------------------------------------------------------------------- */

static bool is_delimiter(int c) { return c == EOF || isspace(c) || strchr("()\";'`,", c) != NULL; }

/* Up to the next delimiter, into `text`, where the first characters are already. */
static size_t read_word(struct port *port, char text[128], size_t length) {
    while (!is_delimiter(port_peek(port))) {
        if (length == 127)
            fail_at(place_here(port), "a word of more than 127 characters", NIL);
        text[length++] = (char)port_get(port);
    }
    text[length] = 0;
    return length;
}

/* The character of which `word` follows #\. */
static value read_character(struct port *port, const char *word, const struct place *place) {
    if (*word == 0)
        return character((unsigned char)port_get(port));
    if (word[1] == 0)
        return character((unsigned char)*word);
    for (int i = 0; char_names[i][0] != NULL; i++)
        if (strcmp(word, char_names[i][0]) == 0)
            return character((unsigned char)*char_names[i][1]);
    char *end;
    unsigned long code = *word == 'x' ? strtoul(word + 1, &end, 16) : 256;
    if (code > 255 || *end != 0)
        fail_at(place, "unknown character", LIST(make_text(word)));
    return character((uint32_t)code);
}

/* What follows a backslash in a string. */
static char read_escape(struct port *port, const struct place *place) {
    static const char names[] = "ntra0\\\"", bytes[] = "\n\t\r\a\0\\\"";
    int c = port_get(port), code = 0;
    const char *name = c > 0 ? strchr(names, c) : NULL;
    if (name != NULL)
        return bytes[name - names];
    if (c != 'x')
        fail_at(place, "unknown escape in a string", LIST(character((unsigned char)c)));
    while ((c = port_get(port)) != ';')
        if (c == EOF || digit_of(c) > 15 || (code = code * 16 + digit_of(c)) > 255)
            fail_at(place, "bad \\x escape in a string", NIL);
    return (char)code;
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
        char byte = c == '\\' ? read_escape(port, place) : (char)c;
        port_put(port_of(text), &byte, 1);
    }
}

/* ---- lists -------------------------------------------------------------------------------------------------------- */

static void skip_nested_comment(struct port *port, const struct place *place) {
    check_stack();
    for (int last = 0, c; (c = port_get(port)) != '#' || last != '|'; last = c) {
        if (c == EOF)
            fail_at(place, "this comment has no end", NIL);
        if (last == '#' && c == '|')
            skip_nested_comment(port, place), c = 0;
    }
}

/* Skips blanks and comments, and takes the next character. */
static int next_char(struct port *port) {
    for (;;) {
        int c = port_get(port), next = c == '#' ? port_peek(port) : 0;
        if (c == ';') {
            while (c != '\n' && c != EOF)
                c = port_get(port);
        } else if (next == '|' || next == ';') {
            const struct place *place = place_here(port);
            port_get(port);
            if (next == '|')
                skip_nested_comment(port, place);
            else if (read_datum(port) == END_OF_FILE)
                fail_at(place, "#; before the end of the text", NIL);
        } else if (c == EOF || !isspace(c)) {
            return c;
        }
    }
}

static value read_after(struct port *port, int c, const struct place *place);

static value read_list(struct port *port, const struct place *place) {
    value first = NIL, *end = &first;
    for (;;) {
        int c = next_char(port);
        if (c == EOF)
            fail_at(place, "this list has no end", NIL);
        if (c == ')')
            return first;
        value item = read_after(port, c, place_here(port));
        if (item == DOT) {
            *end = read_datum(port);
            if (end == &first || next_char(port) != ')')
                fail_at(place, "bad dot in this list", NIL);
            return first;
        }
        *end = cons(item, NIL);
        if (end == &first)
            note(port, first, place);
        end = &cdr(*end);
    }
}

static value list_to(enum type type, value items, const struct place *place) {
    size_t length = (size_t)list_length(items);
    value v = type == T_VECTOR ? make_vector(length, NIL) : make_bytes(T_BYTES, length);
    for (size_t i = 0; i < length; i++, items = cdr(items)) {
        if (type == T_VECTOR)
            vector_of(v)->item[i] = car(items);
        else if (is_fixnum(car(items)) && (uintptr_t)fixnum_of(car(items)) <= 255)
            bytes_of(v)[i] = (char)fixnum_of(car(items));
        else
            fail_at(place, "not a byte in a bytevector", LIST(car(items)));
    }
    return v;
}

/* What follows a '#'. */
static value read_hash(struct port *port, const struct place *place) {
    char word[128];
    size_t length = read_word(port, word, 0);
    int next = port_peek(port);
    if (next == '(' && (length == 0 || strcmp(word, "u8") == 0)) {
        port_get(port);
        return list_to(length == 0 ? T_VECTOR : T_BYTES, read_list(port, place), place);
    }
    if (*word == '\\')
        return read_character(port, word + 1, place);
    if (strcmp(word, "t") == 0 || strcmp(word, "true") == 0)
        return TRUE;
    if (strcmp(word, "f") == 0 || strcmp(word, "false") == 0)
        return FALSE;
    int radix = *word == 'x' ? 16 : *word == 'b' ? 2 : *word == 'o' ? 8 : *word == 'd' ? 10 : 0;
    value number = radix != 0 ? parse_number(word + 1, length - 1, radix) : FALSE;
    if (number == FALSE)
        fail_at(place, "unknown syntax after #", LIST(make_text(word)));
    return number;
}

static value read_quoted(struct port *port, const char *symbol, const struct place *place) {
    value datum = read_datum(port);
    if (datum == END_OF_FILE)
        fail_at(place, "nothing to quote before the end of the text", NIL);
    return note(port, LIST(intern(symbol), datum), place);
}

/* A datum of which `c` is the first character. */
static value read_after(struct port *port, int c, const struct place *place) {
    check_stack();
    switch (c) {
    case EOF: return END_OF_FILE;
    case '#': return read_hash(port, place);
    case '(': return read_list(port, place);
    case ')': fail_at(place, "unexpected )", NIL);
    case '"': return read_string(port, place);
    case '\'': return read_quoted(port, "quote", place);
    case '`': return read_quoted(port, "quasiquote", place);
    case ',':
        if (port_peek(port) != '@')
            return read_quoted(port, "unquote", place);
        port_get(port);
        return read_quoted(port, "unquote-splicing", place);
    }
    char word[128] = {(char)c};
    size_t length = read_word(port, word, 1);
    value number = isdigit(c) || strchr("+-.", c) != NULL ? parse_number(word, length, 10) : FALSE;
    return number != FALSE ? number : strcmp(word, ".") == 0 ? DOT : intern_string(make_string(word, length));
}

/* The next datum, or END_OF_FILE. */
value read_datum(struct port *port) {
    int c = next_char(port);
    const struct place *place = place_here(port);
    value v = read_after(port, c, place);
    if (v == DOT)
        fail_at(place, "unexpected .", NIL);
    return v;
}
