/* Bytes that grow, and what there is to do when they cannot. */
#include "gateway.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(const char *what) {
    fprintf(stderr, "leaky_gateway: %s: %s\n", what, strerror(errno));
    exit(1);
}

void *need(void *memory) {
    if (memory == NULL)
        die("out of memory");
    return memory;
}

char *buffer_reserve(struct buffer *buffer, size_t more) {
    if (buffer->capacity - buffer->length < more) {
        size_t capacity = 2 * buffer->capacity + more;
        buffer->data = need(realloc(buffer->data, capacity));
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->length;
}

void buffer_append(struct buffer *buffer, const char *bytes, size_t length) {
    memcpy(buffer_reserve(buffer, length), bytes, length);
    buffer->length += length;
}

void buffer_print(struct buffer *buffer, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    buffer_append(buffer, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

void buffer_release(struct buffer *buffer) {
    free(buffer->data);
    *buffer = (struct buffer){0};
}
