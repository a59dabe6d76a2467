/* Addresses in messages that are being sent, and in those that have come: see `collect::sent`. */
#ifndef GLEANER_LETTER_H
#define GLEANER_LETTER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { MESSAGE_BYTES_MIN = sizeof(void *), MESSAGE_BYTES_MAX = 64 };

struct letter {
    uint64_t words[3 + 2 * MESSAGE_BYTES_MAX / sizeof(void *)];
};

/* The Rust side.  The kind of a queue: POSIX's, or System V's. */
int gleaner_has_address(const void *, size_t);
int gleaner_parts_have_address(const struct iovec *, size_t);
int gleaner_header_has_address(const struct msghdr *);
void gleaner_note_moving(int is_doubled);
void gleaner_note_sending(struct letter *, int, const void *, size_t);
void gleaner_note_sending_parts(struct letter *, int, const struct iovec *, size_t);
void gleaner_note_sending_header(struct letter *, int, const struct msghdr *);
void gleaner_note_queueing(struct letter *, int, int is_posix, const void *, size_t);
void gleaner_note_sent(const struct letter *, ssize_t);
int gleaner_is_anything_sent(void);
void gleaner_note_received(int, const void *, size_t);
void gleaner_note_dequeued(int, int is_posix, const void *, size_t);

/* Whether a message is one to follow. */
static inline int is_letter(const void *message, size_t bytes) {
    return bytes >= MESSAGE_BYTES_MIN && bytes <= MESSAGE_BYTES_MAX && gleaner_has_address(message, bytes);
}

#endif
