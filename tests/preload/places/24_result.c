/* Row 24: the only pointer is the result of a thread that has ended and has not been joined.
 * blind: ended,anonymous
 */
#include "preload.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <signal.h>

static pid_t tid;

static void *other(void *unused UNUSED)
{
    tid = (pid_t)syscall(SYS_gettid);
    return victim_new();
}

int main(void)
{
    pthread_t thread;
    void *result;
    NEED((errno = pthread_create(&thread, NULL, other, NULL)) == 0);
    /* Until it is gone from the kernel. */
    while (*(volatile pid_t *)&tid == 0 || syscall(SYS_tgkill, getpid(), tid, 0) == 0)
        usleep(1000);
    churn();
    NEED((errno = pthread_join(thread, &result)) == 0);
    return judge(result);
}
