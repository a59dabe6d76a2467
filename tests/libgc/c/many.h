/* Many objects, of which it is known how many are left: each has a link that is cleared when it goes. */
#ifndef MANY_H
#define MANY_H

#define GC_THREADS
#include "check.h"
#include <gc_gcj.h>
#include <gc_inline.h>
#include <gc_typed.h>
#include <pthread.h>

/* Of those that nothing keeps a few may be kept by what lies on stacks. */
enum { MANY = 1000, FEW = 100 };

static GC_word watched[MANY];

__attribute__((unused)) static void watch(int index, void *object) {
    watched[index] = HIDDEN(object);
    int result = GC_general_register_disappearing_link((void **)&watched[index], object);
    CHECK(result == GC_SUCCESS, "the link of object %d: %d", index, result);
}

__attribute__((unused)) static void forget_all(void) {
    for (int i = 0; i < MANY; i++) {
        GC_unregister_disappearing_link((void **)&watched[i]);
        watched[i] = 0;
    }
}

/* Collects, and counts what is left. */
__attribute__((unused)) static int living(void) {
    int count = 0;
    wipe_stack();
    GC_gcollect();
    for (int i = 0; i < MANY; i++)
        count += watched[i] != 0;
    return count;
}

static void *run_elsewhere(void *function) {
    ((void (*)(void))(GC_word)function)();
    return NULL;
}

/* Runs on another stack, which is gone then: what it leaves there keeps nothing. */
__attribute__((unused)) static void elsewhere(void (*function)(void)) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, run_elsewhere, (void *)(GC_word)function) == 0, "a thread");
    CHECK(pthread_join(thread, NULL) == 0, "its end");
}

#endif
