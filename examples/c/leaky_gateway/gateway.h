/* What the parts of the gateway share: bytes that grow, the books, and HTTP. */
#ifndef GATEWAY_H
#define GATEWAY_H

#include <stdbool.h>
#include <stddef.h>

/* Ends the program, with what errno says. */
_Noreturn void die(const char *what);
/* `memory`, unless there is none. */
void *need(void *memory);

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

struct buffer {
    char *data;
    size_t length, capacity;
};

/* Room for so many more bytes. */
char *buffer_reserve(struct buffer *buffer, size_t more);
void buffer_append(struct buffer *buffer, const char *bytes, size_t length);
/* At most 511 bytes. */
__attribute__((format(printf, 2, 3))) void buffer_print(struct buffer *buffer, const char *format, ...);
void buffer_release(struct buffer *buffer);

/* ---- the books (books.c) ----------------------------------------------------------------------------------------- */

void books_open(unsigned sessions, unsigned cards);
/* Pays the lines of a request's body, and prints the receipts. */
void pay_batch(const char *body, size_t length, struct buffer *answer);
void books_stats(struct buffer *answer);
void books_release(void);

/* ---- HTTP (http.c) ----------------------------------------------------------------------------------------------- */

struct request {
    const char *line;         /* method and target, with `line_length` bytes */
    size_t line_length;
    const char *body;
    size_t body_length;
    size_t length;            /* header and body */
    bool keep_alive;
};

/* What reading a request comes to: 0 for more bytes are needed, 200 for it is whole, else the status to refuse with. */
int request_read(struct request *request, const char *bytes, size_t length);
/* Appends the response to a request that was read with this status. */
void respond(int status, const struct request *request, struct buffer *out);

#endif
