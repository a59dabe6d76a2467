/* pthread_cond_timedwait waits in vain, until its time. */
#include "calls.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    struct timespec end = in_ns(CLOCK_REALTIME, LIMIT_NS);
    pthread_mutex_lock(&lock);
    ended_after(start, pthread_cond_timedwait(&never, &lock, &end));
    pthread_mutex_unlock(&lock);
}
