/* 2,500 threads at once, each with one object of a dozen sizes: all of them get their memory, and a thread costs a few
 * pages. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 2500, SIZES = 12, KB_MAX = 48 };

static pthread_barrier_t begun, over;
static char refused;

static void *live(void *data)
{
    void *objects[SIZES];
    (void)data;
    for (size_t i = 0; i < SIZES; i++) {
        size_t size = 20 + 20 * i;
        if ((objects[i] = malloc(size)) == NULL)
            refused = 1;
        else
            memset(objects[i], 1, size);
    }
    pthread_barrier_wait(&begun);
    pthread_barrier_wait(&over);
    for (size_t i = 0; i < SIZES; i++)
        free(objects[i]);
    return NULL;
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm == NULL || fscanf(statm, "%*d %ld", &pages) != 1)
        exit(2);
    fclose(statm);
    return pages * 4;
}

int main(void)
{
    static pthread_t threads[THREADS];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    pthread_barrier_init(&begun, NULL, THREADS + 1);
    pthread_barrier_init(&over, NULL, THREADS + 1);
    long before = resident_kb();
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], &attributes, live, NULL) != 0)
            return printf("the system refused thread %d\n", i), 1;
    pthread_barrier_wait(&begun);
    long each = (resident_kb() - before) / THREADS;
    pthread_barrier_wait(&over);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (refused)
        return puts("malloc refused"), 1;
    if (each > KB_MAX)
        return printf("%ld KiB a thread\n", each), 1;
    puts("small");
    return 0;
}
