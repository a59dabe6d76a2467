/* Threads that sleep with all signals blocked: the first stop that asks one of them reaches it soon, though the signal that
 * it is sent does not, and what its stack holds is kept. Each is asked for the first time by a collection of its own. */
#define _GNU_SOURCE
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* Without the early look a stop waits for 10 ms. A busy machine may hold up any stop, but not all of so many. */
enum { THREADS = 30, LATE_NS = 8000000 };

static int to_sleeper[2], from_sleeper[2];

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void *sleep_deaf(void *argument)
{
    sigset_t all;
    char byte;
    size_t *volatile mine = gc_malloc(sizeof *mine);
    pid_t self = gettid();
    *mine = (size_t)argument;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0, "signals cannot be blocked");
    CHECK(write(from_sleeper[1], &self, sizeof self) == sizeof self, "a pipe");
    CHECK(read(to_sleeper[0], &byte, 1) == 1, "a read was cut short");
    CHECK(*mine == (size_t)argument, "the object of thread %zu has changed", (size_t)argument);
    return NULL;
}

/* Whether a thread sleeps, as the kernel says. */
static int is_asleep(pid_t thread)
{
    char path[64], text[256], *end;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL && fgets(text, sizeof text, file) != NULL, "%s cannot be read", path);
    fclose(file);
    end = strrchr(text, ')');
    return end != NULL && end[2] == 'S';
}

/* The time that the first collection beside a new thread takes, which is deaf. */
static long long first_stop_ns(size_t number)
{
    pthread_t thread;
    pid_t id;
    long long begin, end;
    time_t deadline = time(NULL) + 20;
    CHECK(pthread_create(&thread, NULL, sleep_deaf, (void *)number) == 0, "no thread");
    CHECK(read(from_sleeper[0], &id, sizeof id) == sizeof id, "a pipe");
    while (!is_asleep(id))
        CHECK(time(NULL) < deadline, "thread %d does not sleep", (int)id);
    begin = now_ns();
    gc_collect();
    end = now_ns();
    CHECK(write(to_sleeper[1], "x", 1) == 1, "a pipe");
    CHECK(pthread_join(thread, NULL) == 0, "its end");
    return end - begin;
}

int main(void)
{
    long long least = INT64_MAX;
    CHECK(pipe(to_sleeper) == 0 && pipe(from_sleeper) == 0, "no pipes");
    for (size_t number = 0; number < THREADS; number++) {
        long long taken = first_stop_ns(number);
        least = taken < least ? taken : least;
    }
    CHECK(stats().collections >= THREADS && stats().stops_abandoned == 0, "stops were abandoned");
    CHECK(least < LATE_NS, "the first stop beside a deaf thread takes at least %lld us", least / 1000);
    return 0;
}
