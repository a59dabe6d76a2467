/* ports.c: ports on files and on texts in memory, and procedures on them.
 *
 * A port for reading counts lines and columns, for the messages of the reader. A port for writing to memory grows a
 * buffer without pointers. A file is read whole when it is opened; only the terminal is read as it comes.
 */
#include "memory.h"

#include <errno.h>
#include <string.h>

static struct port *port_new(value name, bool output) {
    struct port *port = scanned(sizeof *port);
    *port = (struct port){.header = HEADER(T_PORT, 0), .name = name, .line = 1, .column = 1, .output = output};
    return port;
}

value open_text(value name, const char *text, size_t length) {
    struct port *port = port_new(name, false);
    port->text = memcpy(plain(length + 1), text, length);
    port->length = length;
    return of(port);
}

value open_stream(FILE *file, const char *name, bool output) {
    struct port *port = port_new(make_text(name), output);
    port->file = file;
    return of(port);
}

value open_output_text(void) {
    struct port *port = port_new(FALSE, true);
    port->text = plain(port->capacity = 48);
    return of(port);
}

value output_text(struct port *port) { return make_string(port->text, port->length); }

value open_file(const char *name) {
    FILE *file = fopen(name, "r");
    if (file == NULL)
        fail("cannot open the file:", LIST(make_text(name), make_text(strerror(errno))));
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
    return ungetc(getc(port->file), port->file);
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
    value v = need(T_PORT, count > at ? arg[at] : output ? me.output : me.input);
    if (port_of(v)->output != output)
        fail_type(output ? "a port for writing" : "a port for reading", v);
    return port_of(v);
}

PRIMITIVE(p_display, "display", 1, 2) { return print(need_port(count, arg, 1, true), arg[0], false), UNSPECIFIED; }
PRIMITIVE(p_write, "write", 1, 2) { return print(need_port(count, arg, 1, true), arg[0], true), UNSPECIFIED; }
PRIMITIVE(p_newline, "newline", 0, 1) { return port_puts(need_port(count, arg, 0, true), "\n"), UNSPECIFIED; }
PRIMITIVE(p_read, "read", 0, 1) { return read_datum(need_port(count, arg, 0, false)); }

static value char_or_end(int c) { return c == EOF ? END_OF_FILE : character((unsigned char)c); }
PRIMITIVE(p_read_char, "read-char", 0, 1) { return char_or_end(port_get(need_port(count, arg, 0, false))); }
PRIMITIVE(p_peek_char, "peek-char", 0, 1) { return char_or_end(port_peek(need_port(count, arg, 0, false))); }
PRIMITIVE(p_end_of_file, "eof-object", 0, 0) { return END_OF_FILE; }

PRIMITIVE(p_open_input_string, "open-input-string", 1, 1) {
    return open_text(FALSE, bytes_of(need(T_STRING, arg[0])), length_of(arg[0]));
}

PRIMITIVE(p_open_input_file, "open-input-file", 1, 1) { return open_file(bytes_of(need(T_STRING, arg[0]))); }
PRIMITIVE(p_load, "load", 1, 1) { return load_port(port_of(open_file(bytes_of(need(T_STRING, arg[0]))))), UNSPECIFIED; }

PRIMITIVE(p_open_output_string, "open-output-string", 0, 0) { return open_output_text(); }
PRIMITIVE(p_get_output_string, "get-output-string", 1, 1) {
    struct port *port = need_port(count, arg, 0, true);
    return port->file == NULL ? output_text(port) : make_text("");
}

/* The port of display and write, which it replaces. */
PRIMITIVE(p_output, "%output", 0, 1) { return count > 0 ? (me.output = need(T_PORT, arg[0])) : me.output; }
