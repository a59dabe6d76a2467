/* Calls that transfer messages: an object that one thread sends another by its address lives on the way.
 *
 * What is about to be sent is looked at if it is small, as such messages are; what has come, if anything is on its way.
 * A thread may be cancelled in these calls, so they are called from C.
 */
#define _GNU_SOURCE
#include "letter.h"

#include <fcntl.h>
#include <mqueue.h>
#include <time.h>
#include <unistd.h>

/* The C library's own functions, each called in a safe region. */
ssize_t gleaner_call_write(int, const void *, size_t);
ssize_t gleaner_call_writev(int, const struct iovec *, int);
ssize_t gleaner_call_send(int, const void *, size_t, int);
ssize_t gleaner_call_sendto(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
ssize_t gleaner_call_sendmsg(int, const struct msghdr *, int);
int gleaner_call_sendmmsg(int, struct mmsghdr *, unsigned, int);
ssize_t gleaner_call_splice(int, off64_t *, int, off64_t *, size_t, unsigned);
ssize_t gleaner_call_tee(int, int, size_t, unsigned);
ssize_t gleaner_call_vmsplice(int, const struct iovec *, size_t, unsigned);
int gleaner_call_mq_send(mqd_t, const char *, size_t, unsigned);
int gleaner_call_mq_timedsend(mqd_t, const char *, size_t, unsigned, const struct timespec *);
ssize_t gleaner_call_mq_receive(mqd_t, char *, size_t, unsigned *);
ssize_t gleaner_call_mq_timedreceive(mqd_t, char *, size_t, unsigned *, const struct timespec *);
ssize_t gleaner_call_read(int, void *, size_t);
ssize_t gleaner_call_readv(int, const struct iovec *, int);
ssize_t gleaner_call_read_chk(int, void *, size_t, size_t);
ssize_t gleaner_call_recv(int, void *, size_t, int);
ssize_t gleaner_call_recvfrom(int, void *, size_t, int, struct sockaddr *, socklen_t *);
ssize_t gleaner_call_recvmsg(int, struct msghdr *, int);
int gleaner_call_recvmmsg(int, struct mmsghdr *, unsigned, int, struct timespec *);
ssize_t gleaner_call_recv_chk(int, void *, size_t, size_t, int);
ssize_t gleaner_call_recvfrom_chk(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);

/* ---- sending ---- */

ssize_t gleaner_edge_write(int fd, const void *message, size_t bytes) {
    struct letter letter;
    ssize_t result;
    if (!is_letter(message, bytes))
        return gleaner_call_write(fd, message, bytes);
    gleaner_note_sending(&letter, fd, message, bytes);
    result = gleaner_call_write(fd, message, bytes);
    gleaner_note_sent(&letter, result);
    return result;
}

ssize_t gleaner_edge_writev(int fd, const struct iovec *parts, int count) {
    struct letter letter;
    ssize_t result;
    if (count <= 0 || !gleaner_parts_have_address(parts, (size_t)count))
        return gleaner_call_writev(fd, parts, count);
    gleaner_note_sending_parts(&letter, fd, parts, (size_t)count);
    result = gleaner_call_writev(fd, parts, count);
    gleaner_note_sent(&letter, result);
    return result;
}

ssize_t gleaner_edge_send(int fd, const void *message, size_t bytes, int flags) {
    struct letter letter;
    ssize_t result;
    if (!is_letter(message, bytes))
        return gleaner_call_send(fd, message, bytes, flags);
    gleaner_note_sending(&letter, fd, message, bytes);
    result = gleaner_call_send(fd, message, bytes, flags);
    gleaner_note_sent(&letter, result);
    return result;
}

ssize_t gleaner_edge_sendto(int fd, const void *message, size_t bytes, int flags, const struct sockaddr *to,
                            socklen_t to_bytes) {
    struct letter letter;
    ssize_t result;
    if (!is_letter(message, bytes))
        return gleaner_call_sendto(fd, message, bytes, flags, to, to_bytes);
    gleaner_note_sending(&letter, fd, message, bytes);
    result = gleaner_call_sendto(fd, message, bytes, flags, to, to_bytes);
    gleaner_note_sent(&letter, result);
    return result;
}

ssize_t gleaner_edge_sendmsg(int fd, const struct msghdr *header, int flags) {
    struct letter letter;
    ssize_t result;
    if (!gleaner_header_has_address(header))
        return gleaner_call_sendmsg(fd, header, flags);
    gleaner_note_sending_header(&letter, fd, header);
    result = gleaner_call_sendmsg(fd, header, flags);
    gleaner_note_sent(&letter, result);
    return result;
}

/* What of several messages is not sent stays counted: the program sends it again. */
int gleaner_edge_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
    struct letter letter;
    for (unsigned i = 0; i < count; i++)
        if (gleaner_header_has_address(&messages[i].msg_hdr))
            gleaner_note_sending_header(&letter, fd, &messages[i].msg_hdr);
    return gleaner_call_sendmmsg(fd, messages, count, flags);
}

/* ---- from pipe to pipe, and memory that a pipe has a part in ---- */

ssize_t gleaner_edge_splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t bytes, unsigned flags) {
    gleaner_note_moving(0);
    return gleaner_call_splice(in, in_at, out, out_at, bytes, flags);
}

ssize_t gleaner_edge_tee(int in, int out, size_t bytes, unsigned flags) {
    gleaner_note_moving(1);
    return gleaner_call_tee(in, out, bytes, flags);
}

ssize_t gleaner_edge_vmsplice(int fd, const struct iovec *parts, size_t count, unsigned flags) {
    struct letter letter;
    ssize_t result;
    if (!gleaner_parts_have_address(parts, count))
        return gleaner_call_vmsplice(fd, parts, count, flags);
    gleaner_note_sending_parts(&letter, fd, parts, count);
    result = gleaner_call_vmsplice(fd, parts, count, flags);
    gleaner_note_sent(&letter, result);
    return result;
}

/* ---- receiving ---- */

static inline void note_received(int fd, const void *start, ssize_t bytes) {
    if (bytes >= MESSAGE_BYTES_MIN && gleaner_is_anything_sent())
        gleaner_note_received(fd, start, (size_t)bytes);
}

static void note_received_parts(int fd, const struct iovec *parts, size_t count, ssize_t bytes) {
    if (bytes < MESSAGE_BYTES_MIN || !gleaner_is_anything_sent())
        return;
    for (size_t i = 0; i < count && bytes > 0; i++) {
        size_t here = (size_t)bytes < parts[i].iov_len ? (size_t)bytes : parts[i].iov_len;
        gleaner_note_received(fd, parts[i].iov_base, here);
        bytes -= (ssize_t)here;
    }
}

ssize_t gleaner_edge_read(int fd, void *room, size_t bytes) {
    ssize_t result = gleaner_call_read(fd, room, bytes);
    note_received(fd, room, result);
    return result;
}

ssize_t gleaner_edge_read_chk(int fd, void *room, size_t bytes, size_t room_bytes) {
    ssize_t result = gleaner_call_read_chk(fd, room, bytes, room_bytes);
    note_received(fd, room, result);
    return result;
}

ssize_t gleaner_edge_readv(int fd, const struct iovec *parts, int count) {
    ssize_t result = gleaner_call_readv(fd, parts, count);
    note_received_parts(fd, parts, (size_t)count, result);
    return result;
}

/* What is only peeked at comes again, and what is more than the room is counted in the result of some. */
static inline ssize_t in_room(ssize_t bytes, size_t room_bytes, int flags) {
    if ((flags & MSG_PEEK) != 0)
        return 0;
    return bytes < 0 || (size_t)bytes <= room_bytes ? bytes : (ssize_t)room_bytes;
}

ssize_t gleaner_edge_recv(int fd, void *room, size_t bytes, int flags) {
    ssize_t result = gleaner_call_recv(fd, room, bytes, flags);
    note_received(fd, room, in_room(result, bytes, flags));
    return result;
}

ssize_t gleaner_edge_recv_chk(int fd, void *room, size_t bytes, size_t room_bytes, int flags) {
    ssize_t result = gleaner_call_recv_chk(fd, room, bytes, room_bytes, flags);
    note_received(fd, room, in_room(result, bytes, flags));
    return result;
}

ssize_t gleaner_edge_recvfrom(int fd, void *room, size_t bytes, int flags, struct sockaddr *from,
                              socklen_t *from_bytes) {
    ssize_t result = gleaner_call_recvfrom(fd, room, bytes, flags, from, from_bytes);
    note_received(fd, room, in_room(result, bytes, flags));
    return result;
}

ssize_t gleaner_edge_recvfrom_chk(int fd, void *room, size_t bytes, size_t room_bytes, int flags,
                                  struct sockaddr *from, socklen_t *from_bytes) {
    ssize_t result = gleaner_call_recvfrom_chk(fd, room, bytes, room_bytes, flags, from, from_bytes);
    note_received(fd, room, in_room(result, bytes, flags));
    return result;
}

ssize_t gleaner_edge_recvmsg(int fd, struct msghdr *header, int flags) {
    ssize_t result = gleaner_call_recvmsg(fd, header, flags);
    if ((flags & MSG_PEEK) == 0)
        note_received_parts(fd, header->msg_iov, header->msg_iovlen, result);
    return result;
}

int gleaner_edge_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *limit) {
    int result = gleaner_call_recvmmsg(fd, messages, count, flags, limit);
    for (int i = 0; i < result && (flags & MSG_PEEK) == 0; i++) {
        const struct msghdr *header = &messages[i].msg_hdr;
        note_received_parts(fd, header->msg_iov, header->msg_iovlen, messages[i].msg_len);
    }
    return result;
}

/* ---- message queues of POSIX's ---- */

int gleaner_edge_mq_send(mqd_t queue, const char *message, size_t bytes, unsigned priority) {
    struct letter letter;
    int result;
    if (!is_letter(message, bytes))
        return gleaner_call_mq_send(queue, message, bytes, priority);
    gleaner_note_queueing(&letter, queue, 1, message, bytes);
    result = gleaner_call_mq_send(queue, message, bytes, priority);
    gleaner_note_sent(&letter, result == 0 ? (ssize_t)bytes : 0);
    return result;
}

int gleaner_edge_mq_timedsend(mqd_t queue, const char *message, size_t bytes, unsigned priority,
                              const struct timespec *limit) {
    struct letter letter;
    int result;
    if (!is_letter(message, bytes))
        return gleaner_call_mq_timedsend(queue, message, bytes, priority, limit);
    gleaner_note_queueing(&letter, queue, 1, message, bytes);
    result = gleaner_call_mq_timedsend(queue, message, bytes, priority, limit);
    gleaner_note_sent(&letter, result == 0 ? (ssize_t)bytes : 0);
    return result;
}

ssize_t gleaner_edge_mq_receive(mqd_t queue, char *room, size_t bytes, unsigned *priority) {
    ssize_t result = gleaner_call_mq_receive(queue, room, bytes, priority);
    if (result >= MESSAGE_BYTES_MIN && gleaner_is_anything_sent())
        gleaner_note_dequeued(queue, 1, room, (size_t)result);
    return result;
}

ssize_t gleaner_edge_mq_timedreceive(mqd_t queue, char *room, size_t bytes, unsigned *priority,
                                     const struct timespec *limit) {
    ssize_t result = gleaner_call_mq_timedreceive(queue, room, bytes, priority, limit);
    if (result >= MESSAGE_BYTES_MIN && gleaner_is_anything_sent())
        gleaner_note_dequeued(queue, 1, room, (size_t)result);
    return result;
}
