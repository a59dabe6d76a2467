/* The first thread allocates small objects side by side; each of the others frees one of them and allocates. What they
 * get lies in no cache line that holds an object of another's. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, OBJECTS = 12, LINE = 64 };

static pthread_barrier_t begun, over;
static size_t size;
/* Of the first thread's objects the others free every second one; the last row of `held` are those it keeps. */
static void *first[2 * THREADS], *held[THREADS + 1][OBJECTS];

static void *live(void *data)
{
    size_t thread = (size_t)data;
    free(first[2 * thread]);
    for (int i = 0; i < OBJECTS; i++)
        held[thread][i] = malloc(size);
    pthread_barrier_wait(&begun);
    pthread_barrier_wait(&over);
    for (int i = 0; i < OBJECTS; i++)
        free(held[thread][i]);
    return NULL;
}

static int share_a_line(const void *left, const void *right)
{
    uintptr_t a = (uintptr_t)left, b = (uintptr_t)right;
    return a / LINE <= (b + size - 1) / LINE && b / LINE <= (a + size - 1) / LINE;
}

static int shared_lines(void)
{
    int shared = 0;
    for (int t = 0; t < THREADS; t++)
        for (int u = t + 1; u <= THREADS; u++)
            for (int i = 0; i < OBJECTS; i++)
                for (int j = 0; j < (u == THREADS ? THREADS : OBJECTS); j++)
                    shared += share_a_line(held[t][i], held[u][j]);
    return shared;
}

int main(void)
{
    /* Not those that libc itself allocates in each new thread. */
    static const size_t sizes[] = { 8, 24, 60, 70, 100, 200 };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        pthread_t threads[THREADS];
        size = sizes[s];
        pthread_barrier_init(&begun, NULL, THREADS + 1);
        pthread_barrier_init(&over, NULL, THREADS + 1);
        for (int i = 0; i < 2 * THREADS; i++)
            first[i] = malloc(size);
        for (int i = 0; i < THREADS; i++)
            held[THREADS][i] = first[2 * i + 1];
        for (size_t i = 0; i < THREADS; i++)
            if (pthread_create(&threads[i], NULL, live, (void *)i) != 0)
                return 2;
        pthread_barrier_wait(&begun);
        int shared = shared_lines();
        pthread_barrier_wait(&over);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        if (shared != 0)
            return printf("%zu bytes: %d pairs of objects share a line\n", size, shared), 1;
    }
    puts("own");
    return 0;
}
