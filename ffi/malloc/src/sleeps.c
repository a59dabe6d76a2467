/* Calls that sleep or wait, and that every signal would cut short.
 *
 * A thread may be cancelled in them, so they are called from C.
 */
#define _GNU_SOURCE
#include "letter.h"
#include "persist.h"

#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The Rust side: the C library's own functions, each called in a safe region. */
int gleaner_call_nanosleep(const struct timespec *, struct timespec *);
int gleaner_call_clock_nanosleep(clockid_t, int, const struct timespec *, struct timespec *);
int gleaner_call_poll(struct pollfd *, nfds_t, int);
int gleaner_call_ppoll(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
int gleaner_call_poll_chk(struct pollfd *, nfds_t, int, size_t);
int gleaner_call_ppoll_chk(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);
int gleaner_call_select(int, fd_set *, fd_set *, fd_set *, struct timeval *);
int gleaner_call_pselect(int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *);
int gleaner_call_epoll_wait(int, struct epoll_event *, int, int);
int gleaner_call_epoll_pwait(int, struct epoll_event *, int, int, const sigset_t *);
int gleaner_call_epoll_pwait2(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
int gleaner_call_sem_timedwait(sem_t *, const struct timespec *);
int gleaner_call_sem_clockwait(sem_t *, clockid_t, const struct timespec *);
int gleaner_call_pause(void);
int gleaner_call_sigsuspend(const sigset_t *);
int gleaner_call_msgsnd(int, const void *, size_t, int);
ssize_t gleaner_call_msgrcv(int, void *, size_t, long, int);
int gleaner_call_semop(int, struct sembuf *, size_t);
int gleaner_call_semtimedop(int, struct sembuf *, size_t, const struct timespec *);

int gleaner_edge_nanosleep(const struct timespec *time, struct timespec *left) {
    struct timespec rest, next;
    long long end = end_after(time);
    int result;
    PERSIST(result, gleaner_call_nanosleep(time, &rest), time = time_left(time, end, &next));
    if (result == -1 && errno == EINTR && left != NULL)
        *left = rest;
    return result;
}

/* Its result is the error. Sleeping until a time is called again as it was; on a clock that counts processor time, what
 * the kernel says is left is slept. */
int gleaner_edge_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left) {
    struct timespec rest, next;
    int is_relative = (flags & TIMER_ABSTIME) == 0;
    int is_real_time = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME;
    long long end = is_relative && is_real_time ? end_after(time) : LLONG_MAX;
    struct interruptions before = gleaner_interruptions();
    int error;
    while ((error = gleaner_call_clock_nanosleep(clock, flags, time, &rest)) == EINTR && is_cut_short_by_us(before)) {
        if (is_relative) {
            next = rest;
            time = time_left(&next, end, &next);
        }
    }
    if (error == EINTR && is_relative && left != NULL)
        *left = rest;
    return error;
}

int gleaner_edge_usleep(useconds_t microseconds) {
    struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000L};
    return gleaner_edge_nanosleep(&time, NULL);
}

/* Its result is what is left, in whole seconds; errno stays as it was when nothing is. */
unsigned gleaner_edge_sleep(unsigned seconds) {
    struct timespec time = {seconds, 0}, left;
    int error = errno;
    if (gleaner_edge_nanosleep(&time, &left) == -1)
        return (unsigned)left.tv_sec;
    errno = error;
    return 0;
}

/* C11: its result tells a signal from other errors; errno stays as it was. */
int gleaner_edge_thrd_sleep(const struct timespec *time, struct timespec *left) {
    switch (gleaner_edge_clock_nanosleep(CLOCK_REALTIME, 0, time, left)) {
    case 0:
        return 0;
    case EINTR:
        return -1;
    default:
        return -2;
    }
}

/* A limit in milliseconds; negative for none. One that is over at once needs no clock. */
static long long end_after_milliseconds(int limit) {
    struct timespec time = {limit / 1000, limit % 1000 * (long)MILLISECOND_NS};
    return end_after(limit > 0 ? &time : NULL);
}

static int milliseconds_left(int given, long long end) {
    struct timespec left;
    if (time_left(NULL, end, &left) == NULL)
        return given;
    return (int)(left.tv_sec * 1000 + (left.tv_nsec + MILLISECOND_NS - 1) / MILLISECOND_NS);
}

int gleaner_edge_poll(struct pollfd *fds, nfds_t count, int limit) {
    long long end = end_after_milliseconds(limit);
    int result;
    PERSIST(result, gleaner_call_poll(fds, count, limit), limit = milliseconds_left(limit, end));
    return result;
}

int gleaner_edge_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *limit, const sigset_t *mask) {
    struct timespec left;
    long long end = end_after(limit);
    int result;
    PERSIST(result, gleaner_call_ppoll(fds, count, limit, mask), limit = time_left(limit, end, &left));
    return result;
}

/* What a program compiled with _FORTIFY_SOURCE calls instead; `bytes` is how long the array is. */
int gleaner_edge_poll_chk(struct pollfd *fds, nfds_t count, int limit, size_t bytes) {
    long long end = end_after_milliseconds(limit);
    int result;
    PERSIST(result, gleaner_call_poll_chk(fds, count, limit, bytes), limit = milliseconds_left(limit, end));
    return result;
}

int gleaner_edge_ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *limit, const sigset_t *mask,
                           size_t bytes) {
    struct timespec left;
    long long end = end_after(limit);
    int result;
    PERSIST(result, gleaner_call_ppoll_chk(fds, count, limit, mask, bytes), limit = time_left(limit, end, &left));
    return result;
}

/* Leaves what is left in `limit` itself, and the sets alone. */
int gleaner_edge_select(int count, fd_set *reads, fd_set *writes, fd_set *others, struct timeval *limit) {
    int result;
    PERSIST(result, gleaner_call_select(count, reads, writes, others, limit), (void)0);
    return result;
}

int gleaner_edge_pselect(int count, fd_set *reads, fd_set *writes, fd_set *others, const struct timespec *limit,
                         const sigset_t *mask) {
    struct timespec left;
    long long end = end_after(limit);
    int result;
    PERSIST(result, gleaner_call_pselect(count, reads, writes, others, limit, mask),
            limit = time_left(limit, end, &left));
    return result;
}

int gleaner_edge_epoll_wait(int set, struct epoll_event *events, int room, int limit) {
    long long end = end_after_milliseconds(limit);
    int result;
    PERSIST(result, gleaner_call_epoll_wait(set, events, room, limit), limit = milliseconds_left(limit, end));
    return result;
}

int gleaner_edge_epoll_pwait(int set, struct epoll_event *events, int room, int limit, const sigset_t *mask) {
    long long end = end_after_milliseconds(limit);
    int result;
    PERSIST(result, gleaner_call_epoll_pwait(set, events, room, limit, mask), limit = milliseconds_left(limit, end));
    return result;
}

/* A C library before glibc 2.35 has none: then the call says what a kernel without it says. */
int gleaner_edge_epoll_pwait2(int set, struct epoll_event *events, int room, const struct timespec *limit,
                              const sigset_t *mask) {
    struct timespec left;
    long long end = end_after(limit);
    int result;
    PERSIST(result, gleaner_call_epoll_pwait2(set, events, room, limit, mask), limit = time_left(limit, end, &left));
    return result;
}

int gleaner_edge_sem_timedwait(sem_t *semaphore, const struct timespec *end) {
    int result;
    PERSIST(result, gleaner_call_sem_timedwait(semaphore, end), (void)0);
    return result;
}

int gleaner_edge_sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *end) {
    int result;
    PERSIST(result, gleaner_call_sem_clockwait(semaphore, clock, end), (void)0);
    return result;
}

int gleaner_edge_pause(void) {
    int result;
    PERSIST(result, gleaner_call_pause(), (void)0);
    return result;
}

int gleaner_edge_sigsuspend(const sigset_t *mask) {
    int result;
    PERSIST(result, gleaner_call_sigsuspend(mask), (void)0);
    return result;
}

/* The type of a message of System V's, before its text, is a number that may be an address as well. */
enum { TYPE_BYTES = sizeof(long) };

int gleaner_edge_msgsnd(int queue, const void *message, size_t bytes, int flags) {
    struct letter letter;
    int result, is_one = bytes <= MESSAGE_BYTES_MAX && is_letter(message, TYPE_BYTES + bytes);
    if (is_one)
        gleaner_note_queueing(&letter, queue, 0, message, TYPE_BYTES + bytes);
    PERSIST(result, gleaner_call_msgsnd(queue, message, bytes, flags), (void)0);
    if (is_one)
        gleaner_note_sent(&letter, result == 0 ? (ssize_t)(TYPE_BYTES + bytes) : 0);
    return result;
}

ssize_t gleaner_edge_msgrcv(int queue, void *message, size_t bytes, long kind, int flags) {
    ssize_t result;
    PERSIST(result, gleaner_call_msgrcv(queue, message, bytes, kind, flags), (void)0);
    if (result >= 0 && (flags & MSG_COPY) == 0 && gleaner_is_anything_sent())
        gleaner_note_dequeued(queue, 0, message, TYPE_BYTES + (size_t)result);
    return result;
}

int gleaner_edge_semop(int set, struct sembuf *operations, size_t count) {
    int result;
    PERSIST(result, gleaner_call_semop(set, operations, count), (void)0);
    return result;
}

int gleaner_edge_semtimedop(int set, struct sembuf *operations, size_t count, const struct timespec *limit) {
    struct timespec left;
    long long end = end_after(limit);
    int result;
    PERSIST(result, gleaner_call_semtimedop(set, operations, count, limit), limit = time_left(limit, end, &left));
    return result;
}

/* What the kernel shares with a program that has requests of io_submit, as far as it concerns us. */
struct requests {
    unsigned number, size, first, end, magic;
};

enum { REQUESTS_MAGIC = 0xa10a10a1 };

/* libaio's, which may be opened later or for others only, so that it is not called but done here: it is the system's call,
 * whose error is the result. Whether something is there already needs no call. */
int gleaner_edge_io_getevents(const volatile struct requests *requests, long least, long most, void *events,
                              struct timespec *limit) {
    int error = errno;
    long result;
    if (limit != NULL && limit->tv_sec == 0 && limit->tv_nsec == 0 && requests != NULL &&
        requests->magic == REQUESTS_MAGIC && requests->first == requests->end)
        return 0;
    PERSIST(result, syscall(SYS_io_getevents, requests, least, most, events, limit), (void)0);
    if (result == -1) {
        result = -errno;
        errno = error;
    }
    return (int)result;
}
