/* What the programs of this directory share: each makes one call of the system's again and again, while another thread
 * collects without pause, and prints how the calls have ended. That is the same where there is no collector: no call
 * fails because somebody else has stopped the thread, none is short, none comes back early.
 *
 * A program defines `call`, which makes the call once and says by `ended` how it did; and, as far as it needs them,
 * `prepare`, which runs before there are threads, and `partner`, which another thread runs once in each round, to do
 * what the call waits for. Often the partner lets the caller wait for a while first; in the other rounds it is quick, so that
 * there are many calls, for a stop to meet one as it begins.
 *
 * `needs:` in the first comment is as in preload.h.
 */
#ifndef CALLS_H
#define CALLS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef ROUNDS
#define ROUNDS 100
#endif

void call(void);
void prepare(void) __attribute__((weak));
void partner(void) __attribute__((weak));

#define NEED(condition)                                                                         \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            printf("%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, strerror(errno));        \
            fflush(stdout);                                                                     \
            _exit(3);                                                                           \
        }                                                                                       \
    } while (0)

/* ---- how the calls have ended ---- */

enum { OUTCOMES = 16, DEADLINE_S = 60, BIG = 1 << 20, LIMIT_NS = 1000000, LINGER_NS = 500000 };

static struct outcome {
    long result;
    int error, count;
} outcomes[OUTCOMES];

/* A call has ended so; errno counts if it is -1. */
static inline void ended(long result)
{
    int error = result == -1 ? errno : 0, i = 0;
    while (i < OUTCOMES - 1 && outcomes[i].count != 0 && (outcomes[i].result != result || outcomes[i].error != error))
        i++;
    outcomes[i].result = result;
    outcomes[i].error = error;
    outcomes[i].count++;
}

static inline long long now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline struct timespec in_ns(clockid_t clock, long long ns)
{
    long long end = now_ns(clock) + ns;
    return (struct timespec){ end / 1000000000, end % 1000000000 };
}

/* A wait of LIMIT_NS that began at `start` has ended so. */
static inline void ended_after(long long start, long result)
{
    int error = errno;
    long long early = LIMIT_NS - (now_ns(CLOCK_MONOTONIC) - start);
    errno = error;
    ended(result);
    if (early > 0)
        printf("came back early\n");
}

/* ---- rounds ---- */

static atomic_int begun_by_caller, is_over;

/* The partner, in a round: lets the caller wait, but not in every round. */
static inline void linger(void)
{
    struct timespec end = in_ns(CLOCK_MONOTONIC, LINGER_NS);
    if (begun_by_caller % 4 == 0)
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR) {
        }
}

static void *be_partner(void *unused)
{
    for (int round = 1; round <= ROUNDS; round++) {
        while (begun_by_caller < round)
            sched_yield();
        partner();
    }
    return unused;
}

/* Collects, where there is a collector; else it does no harm. */
static void *collect(void *unused)
{
    while (!is_over) {
        for (int i = 0; i < 64; i++)
            free(calloc(1, 40));
        malloc_trim(0);
    }
    return unused;
}

/* On the main thread, if the program does not define MAKE_CALLS to do it elsewhere. */
static void *make_calls(void *unused)
{
    for (int round = 1; round <= ROUNDS; round++) {
        begun_by_caller = round;
        call();
    }
    return unused;
}

#ifndef MAKE_CALLS
#define MAKE_CALLS make_calls(NULL)
#endif

int main(void)
{
    pthread_t collector, other;
    alarm(DEADLINE_S);
    if (prepare != NULL)
        prepare();
    NEED(pthread_create(&collector, NULL, collect, NULL) == 0);
    if (partner != NULL)
        NEED(pthread_create(&other, NULL, be_partner, NULL) == 0);
    MAKE_CALLS;
    is_over = 1;
    pthread_join(collector, NULL);
    if (partner != NULL)
        pthread_join(other, NULL);
    for (int i = 0; i < OUTCOMES && outcomes[i].count != 0; i++)
        printf("result %ld, errno %d: %d times\n", outcomes[i].result, outcomes[i].error, outcomes[i].count);
    return 0;
}

/* ---- what many of them transfer ---- */

static char big[BIG] __attribute__((__unused__)), room[BIG] __attribute__((__unused__));

/* Reads the pattern from one place to another, in small pieces, so that who sends it waits often. */
static inline void drain_from(int fd, size_t done, size_t bytes)
{
    char piece[16384];
    while (done < bytes) {
        ssize_t got = read(fd, piece, sizeof piece < bytes - done ? sizeof piece : bytes - done);
        if (got == -1 && errno == EINTR)
            continue;
        NEED(got > 0);
        for (ssize_t i = 0; i < got; i++)
            NEED(piece[i] == (char)((done + (size_t)i) % 251));
        done += (size_t)got;
        sched_yield();
    }
}

static inline void drain(int fd, size_t bytes)
{
    drain_from(fd, 0, bytes);
}

static inline void fill_big(void)
{
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)(i % 251);
}

/* A pair of connected sockets; calls on the first wait so long. */
static inline void connected(int pair[2], int kind, int option)
{
    struct timeval limit = { 20, 0 };
    NEED(socketpair(AF_UNIX, kind, 0, pair) == 0);
    if (option != 0)
        NEED(setsockopt(pair[0], SOL_SOCKET, option, &limit, sizeof limit) == 0);
}

/* Writes it all, whatever happens. */
static inline void put(int fd, const char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t written = write(fd, data, bytes);
        if (written > 0) {
            data += written;
            bytes -= (size_t)written;
        }
    }
}

#endif
