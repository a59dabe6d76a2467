/* Memory that was freed by hand goes back to the system while the program goes on with a little other work, whether that
 * work has pauses or none, and whether other threads with a little memory of their own are idle.
 *
 * The work fits the thread's own caches, so that the allocator has to arrange for an occasion. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include "family.h"

enum { HEAP = 256 << 20, KEPT = 32000000, OS_PAGE = 4096, IDLE = 4, PIECES = 20, SIZES = 256, DEADLINE_SECONDS = 20 };

struct piece {
    struct piece *next;
};

static pthread_barrier_t asleep, ended;

static size_t resident_bytes(void)
{
    unsigned long total, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%lu %lu", &total, &resident) == 2, "/proc/self/statm cannot be read");
    fclose(file);
    return resident * OS_PAGE;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

static void work(void)
{
    static __thread unsigned state = 1;
    void *pieces[PIECES];
    int i;
    for (i = 0; i < PIECES; i++) {
        state = state * 1664525u + 1013904223u;
        pieces[i] = malloc(16 + (state >> 16) % SIZES);
        CHECK(pieces[i] != NULL, "no memory");
    }
    for (i = 0; i < PIECES; i++)
        free(pieces[i]);
}

static void *idle(void *unused)
{
    int i;
    for (i = 0; i < PIECES; i++)
        work();
    pthread_barrier_wait(&asleep);
    pthread_barrier_wait(&ended);
    return unused;
}

static void fill_and_free(size_t size)
{
    struct piece *chain = NULL;
    size_t bytes, at;
    for (bytes = 0; bytes < HEAP; bytes += size) {
        struct piece *piece = malloc(size);
        CHECK(piece != NULL, "no memory");
        for (at = OS_PAGE; at < size; at += OS_PAGE)
            ((char *)piece)[at] = 1;
        piece->next = chain;
        chain = piece;
    }
    bytes = resident_bytes();
    CHECK(bytes >= HEAP, "pieces of %zu bytes: %zu resident with all of them", size, bytes);
    while (chain != NULL) {
        struct piece *next = chain->next;
        free(chain);
        chain = next;
    }
}

/* A pause is part of the work: there is nothing that it waits for. */
static void pause_a_little(void)
{
    static const struct timespec pause = {.tv_nsec = 1000000};
    nanosleep(&pause, NULL);
}

static void work_on(void) {}

static void goes_back(size_t size, void (*between)(void), const char *how)
{
    double deadline;
    size_t bytes;
    fill_and_free(size);
    deadline = seconds() + DEADLINE_SECONDS;
    while ((bytes = resident_bytes()) >= KEPT) {
        CHECK(seconds() < deadline, "pieces of %zu bytes, work %s pauses: %zu resident after %d seconds", size, how, bytes,
              DEADLINE_SECONDS);
        work();
        between();
    }
}

static void from_each_size(void)
{
    static const size_t sizes[] = {64, 1 << 20};
    size_t i;
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        goes_back(sizes[i], pause_a_little, "with");
        goes_back(sizes[i], work_on, "without");
    }
}

int main(void)
{
    pthread_t threads[IDLE];
    int i;
    from_each_size();
    pthread_barrier_init(&asleep, NULL, IDLE + 1);
    pthread_barrier_init(&ended, NULL, IDLE + 1);
    for (i = 0; i < IDLE; i++)
        CHECK(pthread_create(&threads[i], NULL, idle, NULL) == 0, "no thread");
    pthread_barrier_wait(&asleep);
    from_each_size();
    pthread_barrier_wait(&ended);
    for (i = 0; i < IDLE; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
