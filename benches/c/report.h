/*
 * What every workload shares around its own work: arguments, threads, the clock, and one line of figures.
 *
 *     gcbench: allocator=gleaner threads=2 seconds=0.913 cpu_seconds=1.790 checksum=0x... collections=57
 *     pause_total_us=20120 pause_longest_us=812 peak_rss_kb=90120
 *
 * on a single line, so that a script reads it by key; where operations are counted, operations=N and ns=T as well. A
 * checksum is the same for every allocator: a structure that was built, kept through collections and walked again has
 * it, one that lost an object does not.
 */
#ifndef BENCHES_REPORT_H
#define BENCHES_REPORT_H

#include "alloc.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 256

static inline double report_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static inline double report_cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec
         + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/* A number of /proc/self/status. Read without stdio: its buffer comes from malloc, and a request of that size makes glibc
 * tidy all that was freed before. */
static inline unsigned long report_status(const char *key)
{
    char status[8192];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, status, sizeof status - 1);
    if (fd >= 0)
        close(fd);
    status[length < 0 ? 0 : length] = '\0';
    const char *line = strstr(status, key);
    if (line == NULL) {
        fprintf(stderr, "report: /proc/self/status has no %s\n", key);
        exit(1);
    }
    return strtoul(line + strlen(key) + 1, NULL, 10);
}

/* VmHWM is the peak of the resident set, VmRSS its size now. */
static inline unsigned long report_rss_kb(const char *key) { return report_status(key); }

/* A bijection of 64-bit words in which every bit of the input moves half the bits of the output. */
static inline uint64_t mix(uint64_t word)
{
    word ^= word >> 32;
    word *= 0xd6e8feb86659fd93u;
    word ^= word >> 32;
    word *= 0xd6e8feb86659fd93u;
    return word ^ (word >> 32);
}

/* A pseudorandom sequence: every state begins another one. */
static inline uint64_t random_next(uint64_t *state) { return mix(*state += 0x9e3779b97f4a7c15u); }

static inline uint64_t random_below(uint64_t *state, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)random_next(state) * bound) >> 64);
}

/* The number after the option `name`, or `otherwise` if the command line does not have it. */
static inline unsigned long argument(int argc, char **argv, const char *name, unsigned long otherwise)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0) {
            char *end;
            unsigned long value = strtoul(argv[i + 1], &end, 10);
            if (*argv[i + 1] == '\0' || *end != '\0') {
                fprintf(stderr, "%s: %s needs a number, not \"%s\"\n", argv[0], name, argv[i + 1]);
                exit(2);
            }
            return value;
        }
    return otherwise;
}

static pthread_barrier_t idle_begun;

/* Sleeps to the end of the process, with an object to its name. */
static void *idle_thread(void *unused)
{
    void *volatile kept = alloc_scanned(sizeof(void *));
    (void)unused;
    (void)kept;
    pthread_barrier_wait(&idle_begun);
    for (;;)
        pause();
    return NULL;
}

/* Starts the threads of --idle and returns when all sleep. */
static inline void argument_idle(int argc, char **argv)
{
    unsigned long count = argument(argc, argv, "--idle", 0);
    pthread_t id;
    pthread_barrier_init(&idle_begun, NULL, (unsigned)count + 1);
    for (unsigned long i = 0; i < count; i++)
        if (pthread_create(&id, NULL, idle_thread, NULL) != 0) {
            fprintf(stderr, "%s: the system refused idle thread %lu of %lu\n", argv[0], i + 1, count);
            exit(1);
        }
    pthread_barrier_wait(&idle_begun);
}

/* --threads; --idle adds threads that sleep meanwhile. */
static inline unsigned long argument_threads(int argc, char **argv)
{
    argument_idle(argc, argv);
    unsigned long threads = argument(argc, argv, "--threads", 1);
    if (threads < 1 || threads > THREADS_MAX) {
        fprintf(stderr, "%s: --threads takes 1 to %d, not %lu\n", argv[0], THREADS_MAX, threads);
        exit(2);
    }
    return threads;
}

struct run_thread {
    uint64_t (*body)(unsigned long thread);
    unsigned long thread;
    uint64_t sum;
};

static void *run_thread_start(void *data)
{
    struct run_thread *run = data;
    run->sum = run->body(run->thread);
    return NULL;
}

/* Runs `body` once a thread and returns the sum of what the threads returned. The first is the calling thread. */
static inline uint64_t run_threads(unsigned long threads, uint64_t (*body)(unsigned long thread))
{
    struct run_thread runs[THREADS_MAX];
    pthread_t ids[THREADS_MAX];
    uint64_t sum = 0;
    for (unsigned long t = 0; t < threads; t++)
        runs[t] = (struct run_thread){ body, t, 0 };
    for (unsigned long t = 1; t < threads; t++)
        if (pthread_create(&ids[t], NULL, run_thread_start, &runs[t]) != 0) {
            fprintf(stderr, "run_threads: the system refused thread %lu of %lu\n", t + 1, threads);
            exit(1);
        }
    run_thread_start(&runs[0]);
    for (unsigned long t = 1; t < threads; t++)
        pthread_join(ids[t], NULL);
    for (unsigned long t = 0; t < threads; t++)
        sum += runs[t].sum;
    return sum;
}

/*
 * The line of figures; `more` holds further "key=value" words of the workload, or is empty. The time ends here. With
 * `operations` of all threads together, ns is what one of them took its thread.
 */
static inline void report_operations(const char *workload, unsigned long threads, double started, uint64_t operations,
                                     uint64_t checksum, const char *more)
{
    double seconds = report_now() - started, cpu_seconds = report_cpu_seconds();
    struct alloc_figures figures = alloc_figures();
    printf("%s: allocator=%s threads=%lu seconds=%.3f cpu_seconds=%.3f checksum=0x%016llx collections=%lu "
           "pause_total_us=%lu pause_longest_us=%lu peak_rss_kb=%lu",
           workload, ALLOC_NAME, threads, seconds, cpu_seconds, (unsigned long long)checksum, figures.collections,
           figures.pause_total_us, figures.pause_longest_us, report_rss_kb("VmHWM"));
    if (operations != 0)
        printf(" operations=%llu ns=%.3f", (unsigned long long)operations,
               seconds * 1e9 * (double)threads / (double)operations);
    printf("%s%s\n", *more ? " " : "", more);
}

static inline void report(const char *workload, unsigned long threads, double started, uint64_t checksum,
                          const char *more)
{
    report_operations(workload, threads, started, 0, checksum, more);
}

/* An object that does not hold what was written into it ends the program. */
static inline void report_lost(const char *workload, const void *object, uint64_t found, uint64_t expected)
{
    fprintf(stderr, "%s: the object %p holds %llx, not %llx\n", workload, object, (unsigned long long)found,
            (unsigned long long)expected);
    abort();
}

#endif
