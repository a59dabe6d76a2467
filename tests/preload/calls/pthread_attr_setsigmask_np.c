/* A thread that is made with all signals blocked. */
#define MAKE_CALLS make_calls_blocked()
static void make_calls_blocked(void);
#include "pending.h"

static void make_calls_blocked(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    sigfillset(&all);
    NEED(pthread_attr_init(&attributes) == 0 && pthread_attr_setsigmask_np(&attributes, &all) == 0);
    NEED(pthread_create(&thread, &attributes, make_calls, NULL) == 0);
    pthread_join(thread, NULL);
}

void call(void)
{
    ended_by_looking(0);
}
