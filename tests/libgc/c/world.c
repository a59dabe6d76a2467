/* The world stopped by the program: nobody else runs meanwhile. */
#define GC_THREADS
#include "check.h"
#include <pthread.h>

void GC_stop_world_external(void);
void GC_start_world_external(void);

static volatile unsigned long counter;
static volatile int is_over;

static void *count(void *unused) {
    (void)unused;
    while (!is_over) {
        counter++;
        if (counter % 1000 == 0)
            GC_noop1((GC_word)GC_malloc(16));
    }
    return NULL;
}

int main(void) {
    pthread_t thread;
    GC_INIT();
    pthread_create(&thread, NULL, count, NULL);
    for (int i = 0; i < 20; i++) {
        unsigned long before = counter, stopped;
        while (counter == before)
            ;
        GC_stop_world_external();
        stopped = counter;
        for (volatile int spin = 0; spin < 1000000; spin++)
            ;
        CHECK(counter == stopped, "a thread runs in a stopped world");
        GC_start_world_external();
    }
    GC_gcollect();
    is_over = 1;
    pthread_join(thread, NULL);
    return 0;
}
