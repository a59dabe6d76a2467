/* Threads that come and go, each frees what the one before has left and leaves as much: what they cached is given back
 * without a collection, and their records are used again.
 *
 * The kernel may list a thread for a moment after it was joined, so a few records more than threads are no fault. */
#include <gleaner.h>
#include <pthread.h>
#include <string.h>
#include "family.h"

enum { GENERATIONS = 300, OBJECTS = 2000, RECORDS_MAX = 30 };

static unsigned char *objects[OBJECTS];

static size_t size_of(int object) { return 8 + (size_t)object * 131 % 500; }

static void *live(void *generation)
{
    unsigned char stamp = (unsigned char)(size_t)generation;
    int i;
    for (i = 0; i < OBJECTS; i++) {
        CHECK(objects[i] == NULL || is_all(objects[i], (unsigned char)(stamp - 1), size_of(i)),
              "object %d of generation %zu has changed", i, (size_t)generation - 1);
        free(objects[i]);
        objects[i] = malloc(size_of(i));
        CHECK(objects[i] != NULL, "no memory");
        memset(objects[i], stamp, size_of(i));
    }
    return NULL;
}

int main(void)
{
    gc_stats stats = { .size = sizeof stats };
    size_t generation;
    for (generation = 1; generation <= GENERATIONS; generation++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, live, (void *)generation) == 0, "no thread");
        CHECK(pthread_join(thread, NULL) == 0, "the thread cannot be joined");
    }
    CHECK(gc_stats_get(&stats) == 0, "no statistics");
    CHECK(stats.collections != 0 || stats.threads <= RECORDS_MAX, "%d threads left %llu records", GENERATIONS,
          (unsigned long long)stats.threads);
    return 0;
}
