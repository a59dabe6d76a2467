/* ports.c: ports on files and on texts in memory, and procedures on them.
 *
 * A port for reading counts lines and columns, for the messages of the reader. A port for writing to memory grows a
 * buffer without pointers. A file is read whole when it is opened; only the terminal is read as it comes.
 */
#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct port *port_new(value name) {
    struct port *port = scanned(sizeof *port);
    port->header = HEADER(T_PORT, 0);
    port->name = name;
    port->line = port->column = 1;
    return port;
}

value open_text(value name, const char *text, size_t length) {
    struct port *port = port_new(name);
    port->text = memcpy(plain(length + 1), text, length);
    port->length = length;
    return of(port);
}

value open_stream(FILE *file, const char *name, bool output) {
    struct port *port = port_new(make_text(name));
    port->file = file;
    port->output = output;
    return of(port);
}

value open_output_text(void) {
    struct port *port = port_new(FALSE);
    port->output = true;
    port->text = plain(port->capacity = 48);
    return of(port);
}

value output_text(struct port *port) { return make_string(port->text, port->length); }

value open_file(const char *name) {
    FILE *file = fopen(name, "r");
    if (file == NULL)
        fail("cannot open the file:", list(2, make_text(name), make_text(strerror(errno))));
    char piece[4096];
    struct port *text = port_of(open_output_text());
    for (size_t length; (length = fread(piece, 1, sizeof piece, file)) > 0;)
        port_put(text, piece, length);
    fclose(file);
    text->name = make_text(name);
    text->output = false;
    return of(text);
}

/* ---- characters --------------------------------------------------------------------------------------------------- */

int port_peek(struct port *port) {
    if (port->file == NULL)
        return port->at < port->length ? (unsigned char)port->text[port->at] : EOF;
    int c = getc(port->file);
    return ungetc(c, port->file);
}

int port_get(struct port *port) {
    int c = port->file != NULL ? getc(port->file) : port_peek(port);
    port->at += c != EOF;
    port->column = c == '\n' ? 1 : port->column + 1;
    port->line += c == '\n';
    return c;
}

void port_put(struct port *port, const char *text, size_t length) {
    if (port->file != NULL) {
        fwrite(text, 1, length, port->file);
        return;
    }
    if (port->capacity - port->length < length) {
        size_t capacity = 2 * port->capacity + length;
        port->text = plain_resize(port->text, capacity);
        port->capacity = capacity;
    }
    memcpy(port->text + port->length, text, length);
    port->length += length;
}

void port_puts(struct port *port, const char *text) { port_put(port, text, strlen(text)); }

/* ---- procedures --------------------------------------------------------------------------------------------------- */

static struct port *need_port(int count, value *arg, int at, bool output) {
    value v = count > at ? arg[at] : output ? me.output : me.input;
    struct port *port = port_of(need(T_PORT, v, "a port"));
    if (port->output != output)
        fail_type(output ? "a port for writing" : "a port for reading", v);
    return port;
}

PRIMITIVE(p_display) { return print(need_port(count, arg, 1, true), arg[0], false), UNSPECIFIED; }
PRIMITIVE(p_write) { return print(need_port(count, arg, 1, true), arg[0], true), UNSPECIFIED; }
PRIMITIVE(p_newline) { return port_puts(need_port(count, arg, 0, true), "\n"), UNSPECIFIED; }
PRIMITIVE(p_read) { return read_datum(need_port(count, arg, 0, false), false); }

static value char_or_end(int c) { return c == EOF ? END_OF_FILE : character((unsigned char)c); }
PRIMITIVE(p_read_char) { return char_or_end(port_get(need_port(count, arg, 0, false))); }
PRIMITIVE(p_peek_char) { return char_or_end(port_peek(need_port(count, arg, 0, false))); }

PRIMITIVE(p_open_input_string) {
    return open_text(FALSE, bytes_of(need(T_STRING, arg[0], "a string")), length_of(arg[0]));
}

PRIMITIVE(p_open_input_file) { return open_file(bytes_of(need(T_STRING, arg[0], "a string"))); }
PRIMITIVE(p_open_output_string) { return open_output_text(); }

PRIMITIVE(p_get_output_string) {
    struct port *port = need_port(count, arg, 0, true);
    return port->file == NULL ? output_text(port) : make_text("");
}

PRIMITIVE(p_load) {
    load_port(port_of(open_file(bytes_of(need(T_STRING, arg[0], "a string")))));
    return UNSPECIFIED;
}

/* Replaces the port of display and write; the one that it was. */
PRIMITIVE(p_set_output) {
    value before = me.output;
    me.output = of(need_port(count, arg, 0, true));
    return before;
}

PRIMITIVE(p_end_of_file) { return END_OF_FILE; }

void define_ports(void) {
    static const struct table_entry entries[] = {
        {"display", p_display, 1, 2}, {"write", p_write, 1, 2}, {"newline", p_newline, 0, 1}, {"read", p_read, 0, 1},
        {"read-char", p_read_char, 0, 1}, {"peek-char", p_peek_char, 0, 1},
        {"open-input-string", p_open_input_string, 1, 1}, {"open-input-file", p_open_input_file, 1, 1},
        {"open-output-string", p_open_output_string, 0, 0}, {"get-output-string", p_get_output_string, 1, 1},
        {"load", p_load, 1, 1}, {"%set-output!", p_set_output, 1, 1}, {"eof-object", p_end_of_file, 0, 0},
    };
    DEFINE_ALL(entries);
}
