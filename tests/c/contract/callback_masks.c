/* Callbacks run with their caller's signals blocked and no others, although a collection blocks all. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include "check.h"

enum { OBJECTS = 100, COLLECTIONS = 5, LAST_SIGNAL = 64 };

static sigset_t expected;
static int finalized, heard, refused, blocked;

static void check_mask(const char *where)
{
    sigset_t now;
    int number;
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &now) == 0, "%s: no mask", where);
    for (number = 1; number <= LAST_SIGNAL; number++)
        CHECK(sigismember(&now, number) == sigismember(&expected, number), "%s: signal %d", where, number);
}

static void finalizer(void *object, void *data)
{
    (void)object;
    (void)data;
    finalized++;
    check_mask("finalizer");
}

static void listener(const gc_event *event, void *data)
{
    (void)event;
    (void)data;
    heard++;
    check_mask("listener");
}

static void *out_of_memory(size_t size, void *data)
{
    (void)size;
    refused++;
    check_mask("out-of-memory handler");
    return data;
}

static void *region(void *data)
{
    blocked++;
    check_mask("safe region");
    return data;
}

static void fill(void)
{
    int i;
    for (i = 0; i < OBJECTS; i++)
        CHECK(gc_finalizer_set(gc_malloc(64), finalizer, NULL, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
}

int main(void)
{
    int i;
    CHECK(sigemptyset(&expected) == 0 && sigaddset(&expected, SIGUSR1) == 0, "the set");
    CHECK(pthread_sigmask(SIG_SETMASK, &expected, NULL) == 0, "the mask");
    gc_event_listener_set(listener, NULL);
    gc_oom_handler_set(out_of_memory, NULL);
    run(fill);
    for (i = 0; i < COLLECTIONS; i++)
        gc_collect();
    use(gc_malloc(opaque((size_t)1 << 46)));
    use(gc_blocking(region, NULL));
    check_mask("afterwards");
    CHECK(finalized > 0 && heard > 0 && refused == 1 && blocked == 1, "%d %d %d %d calls", finalized, heard, refused,
          blocked);
    return 0;
}
