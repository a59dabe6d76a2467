/* Row 27: the only pointer is an argument of a destructor that is called at the end of a thread.
 * blind: frames,control
 */
#include "preload.h"

#include <pthread.h>

extern "C" int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);
extern "C" void *__dso_handle;

static pthread_barrier_t stored, collected;

static void look(void *victim)
{
    judge(static_cast<struct victim *>(victim));
}

static void put()
{
    NEED(__cxa_thread_atexit_impl(look, victim_new(), &__dso_handle) == 0);
}

static void *other(void *unused)
{
    run(put);
    pthread_barrier_wait(&stored);
    pthread_barrier_wait(&collected);
    return unused;
}

int main()
{
    pthread_t thread;
    pthread_barrier_init(&stored, nullptr, 2);
    pthread_barrier_init(&collected, nullptr, 2);
    NEED((errno = pthread_create(&thread, nullptr, other, nullptr)) == 0);
    pthread_barrier_wait(&stored);
    churn();
    pthread_barrier_wait(&collected);
    pthread_join(thread, nullptr);
    return 0;
}
