/* A futex by syscall waits until another thread wakes it. */
#include "calls.h"

#include <linux/futex.h>

static atomic_uint word;

void partner(void)
{
    linger();
    word++;
    NEED(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) >= 0);
}

void call(void)
{
    unsigned done = (unsigned)begun_by_caller - 1;
    long result = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, done, NULL, NULL, 0);
    /* Another thread has been quick. */
    ended(result == -1 && errno == EAGAIN && word > done ? 0 : result);
}
