/* HTTP/1.1, as far as the gateway speaks it. */
#define _GNU_SOURCE
#include "gateway.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    HEADER_MAX = 8 << 10,     /* bytes of a request's header */
    BODY_MAX = 1 << 20,       /* bytes of a request's body */
};

int request_read(struct request *request, const char *bytes, size_t length) {
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (end == NULL)
        return length > HEADER_MAX ? 431 : 0;
    const char *line_end = memmem(bytes, length, "\r\n", 2);
    const char *version = memmem(bytes, (size_t)(line_end - bytes), " HTTP/1.", 8);
    if (version == NULL || version + 9 != line_end)
        return 400;
    *request = (struct request){.line = bytes, .line_length = (size_t)(version - bytes)};
    request->keep_alive = version[8] != '0';

    for (const char *field = line_end + 2; field < end + 2; field = line_end + 2) {
        line_end = memmem(field, (size_t)(end + 2 - field), "\r\n", 2);
        if (strncasecmp(field, "Content-Length:", 15) == 0) {
            char *digits_end;
            request->body_length = strtoul(field + 15, &digits_end, 10);
            if (digits_end != line_end || request->body_length > BODY_MAX)
                return digits_end != line_end ? 400 : 413;
        } else if (strncasecmp(field, "Transfer-Encoding:", 18) == 0) {
            return 501;
        } else if (strncasecmp(field, "Connection: close", 17) == 0) {
            request->keep_alive = false;
        } else if (strncasecmp(field, "Connection: keep-alive", 22) == 0) {
            request->keep_alive = true;
        }
    }
    request->body = end + 4;
    request->length = (size_t)(request->body - bytes) + request->body_length;
    return request->length <= length ? 200 : 0;
}

static bool request_is(const struct request *request, const char *line) {
    return request->line_length == strlen(line) && memcmp(request->line, line, request->line_length) == 0;
}

static const char *reason(int status) {
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 413: return "Content Too Large";
    case 431: return "Request Header Fields Too Large";
    default: return "Not Implemented";
    }
}

void respond(int status, const struct request *request, struct buffer *out) {
    struct buffer answer = {0};
    buffer_reserve(&answer, 256);
    if (status == 200 && request_is(request, "POST /pay"))
        pay_batch(request->body, request->body_length, &answer);
    else if (status == 200 && request_is(request, "GET /health"))
        buffer_print(&answer, "{\"status\":\"ok\"}");
    else if (status == 200 && request_is(request, "GET /stats"))
        books_stats(&answer);
    else
        status = status == 200 ? 404 : status;
    if (status != 200)
        buffer_print(&answer, "{\"error\":\"%s\"}", reason(status));

    buffer_print(out, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", status,
                 reason(status), answer.length);
    buffer_append(out, answer.data, answer.length);
    buffer_release(&answer);
}
