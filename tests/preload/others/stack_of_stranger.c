/* Threads that the library was not told of, because their maker found pthread_create by a handle on the C library, as foreign
 * function interfaces do. Each asks the C library where its stack is before it does anything else, or where another's is while
 * that asks for its own. The C library allocates to answer, with the lock of the thread that is asked about held. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROUNDS = 50, DEADLINE_S = 60 };

static int (*make)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
static pthread_barrier_t both_run;
static pthread_t threads[2];

static void need(int condition, const char *what)
{
    if (!condition) {
        printf("%s\n", what);
        fflush(stdout);
        _exit(1);
    }
}

/* Whether the C library says that the stack of `thread` holds `address`. */
static int stack_holds(pthread_t thread, const char *address)
{
    pthread_attr_t attributes;
    void *low;
    size_t bytes;
    need(pthread_getattr_np(thread, &attributes) == 0, "attributes");
    need(pthread_attr_getstack(&attributes, &low, &bytes) == 0, "a stack");
    need(pthread_attr_destroy(&attributes) == 0, "their end");
    return (char *)low <= address && address < (char *)low + bytes;
}

static void *ask_for_own(void *unused)
{
    char here;
    need(stack_holds(pthread_self(), &here), "not the own stack");
    return unused;
}

static void *ask_for_others(void *number)
{
    char here;
    pthread_barrier_wait(&both_run);
    need(!stack_holds(threads[number == &threads[0]], &here), "not the other's stack");
    need(stack_holds(pthread_self(), &here), "not the own stack");
    /* The other may have to ask still. */
    pthread_barrier_wait(&both_run);
    return NULL;
}

int main(void)
{
    void *library = dlopen("libc.so.6", RTLD_NOW);
    alarm(DEADLINE_S);
    need(library != NULL, "the C library");
    make = dlsym(library, "pthread_create");
    need(make != NULL, "its function");
    need(pthread_barrier_init(&both_run, NULL, 3) == 0, "a barrier");
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t thread;
        need(make(&thread, NULL, ask_for_own, NULL) == 0, "a thread");
        need(pthread_join(thread, NULL) == 0, "its end");
        for (int i = 0; i < 2; i++)
            need(make(&threads[i], NULL, ask_for_others, &threads[i]) == 0, "two threads");
        pthread_barrier_wait(&both_run);
        pthread_barrier_wait(&both_run);
        for (int i = 0; i < 2; i++)
            need(pthread_join(threads[i], NULL) == 0, "their end");
    }
    puts("all have answers");
    return 0;
}
