/* Allocates on two threads, collects, and says how often: linked with libgleaner.a, with and without shared libraries. */
#include <gleaner.h>
#include <pthread.h>
#include <stdio.h>

static void *garbage(void *data)
{
    int i;
    for (i = 0; i < 200000; i++) {
        void *volatile p = gc_malloc(64);
        if (p == NULL)
            return NULL;
    }
    return data;
}

int main(void)
{
    pthread_t thread;
    void *result = NULL;
    static char data[1];
    if (pthread_create(&thread, NULL, garbage, data) != 0 || garbage(data) == NULL)
        return 1;
    if (pthread_join(thread, &result) != 0 || result != data)
        return 2;
    puts(gc_collections() > 0 ? "collected" : "not collected");
    return 0;
}
