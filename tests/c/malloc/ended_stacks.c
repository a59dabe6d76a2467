/* What a thread has left on its stack keeps nothing once it has ended, though the C library keeps the stack. */
#include <gleaner.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 20, COPIES = 1000 };

static void *volatile object; /* never read: the collector is its only reader */
static gc_weak *cell;

static __attribute__((noinline)) void make(void)
{
    void *volatile copies[COPIES];
    size_t i;
    for (i = 0; i < COPIES; i++)
        copies[i] = i == 0 ? gc_malloc(64) : copies[i - 1];
    object = copies[COPIES - 1];
    cell = gc_weak_register(copies[0], GC_WEAK_SHORT);
}

static void *thread(void *data)
{
    make();
    return data;
}

static __attribute__((noinline)) void clear_stack(void)
{
    volatile char frame[64 << 10];
    memset((void *)frame, 0, sizeof frame);
}

int main(void)
{
    int i, gone = 0;
    for (i = 0; i < THREADS; i++) {
        pthread_t id;
        if (pthread_create(&id, NULL, thread, NULL) != 0 || pthread_join(id, NULL) != 0)
            return puts("no thread"), 1;
        clear_stack();
        gc_collect();
        if (gc_weak_get(cell) == NULL)
            return printf("the object of thread %d is gone while static data has its address\n", i), 1;
        object = NULL;
        gc_collect();
        gone += gc_weak_get(cell) == NULL;
        gc_weak_unregister(cell);
    }
    if (gone < THREADS - 1)
        return printf("%d of %d objects are gone that only ended threads knew\n", gone, THREADS), 1;
    return 0;
}
