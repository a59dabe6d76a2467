/* A thread that has been unregistered asks where its stack begins, the collector or the C library, and registers again. The C
 * library allocates to answer, with the thread's lock held: when that is our malloc, it must not ask the C library in its
 * turn. */
#define _GNU_SOURCE 1
#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include "check.h"
#include <pthread.h>

static void *come_and_go(void *unused) {
    struct GC_stack_base base;
    for (int i = 0; i < 10; i++) {
        CHECK(GC_get_stack_base(&base) == GC_SUCCESS, "its stack");
        CHECK(GC_register_my_thread(&base) == GC_SUCCESS, "registered, time %d", i);
        CHECK(GC_malloc(10) != NULL, "an object");
        CHECK(GC_unregister_my_thread() == GC_SUCCESS, "unregistered");
        if (i % 2 == 0) {
            pthread_attr_t attributes;
            CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0, "attributes, time %d", i);
            CHECK(pthread_attr_destroy(&attributes) == 0, "their end");
        }
    }
    return unused;
}

int main(void) {
    GC_INIT();
    GC_allow_register_threads();
    for (int i = 0; i < 10; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, come_and_go, NULL) == 0, "a thread");
        CHECK(pthread_join(thread, NULL) == 0, "its end");
    }
    return 0;
}
