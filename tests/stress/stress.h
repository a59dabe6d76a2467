/*
 * What the stress programs share: a deadline, checked calls, threads, a generator of random numbers, and the list whose
 * checksum tells that an object was lost.
 *
 * A program that goes wrong ends at once with one line, "PROGRAM: WHAT", on standard error and abort(): a hang too, by
 * its deadline. A program that is right prints one line of figures and exits with 0.
 */
#ifndef STRESS_H
#define STRESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))
#define NOINLINE __attribute__((noinline, noclone))

UNUSED __attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
    char what[512];
    va_list values;
    va_start(values, format);
    vsnprintf(what, sizeof what, format, values);
    va_end(values);
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
    abort();
}

/* In a signal handler: write(2) and abort(3) only. */
static char deadline_line[128];
static void deadline_passed(int signal)
{
    (void)signal;
    ssize_t ignored = write(STDERR_FILENO, deadline_line, strlen(deadline_line));
    (void)ignored;
    abort();
}

/* Gives this process `seconds` to end, times $STRESS_SLOWER if the runner set it (for valgrind and the like). */
UNUSED static void deadline(unsigned seconds)
{
    const char *slower = getenv("STRESS_SLOWER");
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = deadline_passed;
    if (slower != NULL && atoi(slower) > 1)
        seconds *= (unsigned)atoi(slower);
    snprintf(deadline_line, sizeof deadline_line, "%s: still running after %u seconds: a hang\n",
             program_invocation_short_name, seconds);
    if (sigaction(SIGALRM, &action, NULL) != 0)
        die("sigaction: %s", strerror(errno));
    alarm(seconds);
}

UNUSED static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The number after the option `name`, or `otherwise` if the command line does not have it. */
UNUSED static unsigned long argument(int argc, char **argv, const char *name, unsigned long otherwise)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return strtoul(argv[i + 1], NULL, 10);
    return otherwise;
}

UNUSED static pthread_t thread_start(void *(*body)(void *), void *data)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, body, data);
    if (error != 0)
        die("pthread_create: %s", strerror(error));
    return thread;
}

UNUSED static void *thread_join(pthread_t thread)
{
    void *result;
    int error = pthread_join(thread, &result);
    if (error != 0)
        die("pthread_join: %s", strerror(error));
    return result;
}

/* A bijection of 64-bit words in which every bit of the input moves half the bits of the output. */
UNUSED static uint64_t mix(uint64_t word)
{
    word ^= word >> 32;
    word *= 0xd6e8feb86659fd93u;
    word ^= word >> 32;
    word *= 0xd6e8feb86659fd93u;
    return word ^ (word >> 32);
}

/* Overwrites the part of the stack that calls just returned from have used, so that no stale word in it is a root. */
UNUSED NOINLINE static void stack_clear(void)
{
    volatile char stale[65536];
    for (size_t i = 0; i < sizeof stale; i++)
        stale[i] = 0;
}

struct aside_run {
    void (*step)(void *data);
    void *data;
};
UNUSED static void *aside_start(void *data)
{
    struct aside_run *run = (struct aside_run *)data;
    run->step(run->data);
    stack_clear();      /* the stack of a thread that is gone stays mapped, and the malloc door searches mappings */
    return NULL;
}

/*
 * Runs a step on a thread of its own, to its end. Whatever the step leaves on its stack and in registers is gone with
 * the thread: no stale word of it is a root for the collections that follow.
 */
UNUSED static void aside(void (*step)(void *data), void *data)
{
    struct aside_run run = { step, data };
    thread_join(thread_start(aside_start, &run));
}

#endif
