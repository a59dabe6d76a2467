/* Row 5: the only pointer is the value of a thread's first key, which lies in its control block.
 * blind: control
 */
#include "beside.h"

#include <pthread.h>

#ifndef KEYS_BEFORE
#define KEYS_BEFORE 0
#endif

static pthread_key_t key;

static void put(void)
{
    NEED((errno = pthread_setspecific(key, victim_new())) == 0);
}

static void *other(void *unused)
{
    run(put);
    let_collect();
    judge(pthread_getspecific(key));
    return unused;
}

int main(void)
{
    for (int i = 0; i <= KEYS_BEFORE; i++)
        NEED((errno = pthread_key_create(&key, NULL)) == 0);
    collect_beside(other);
    return 0;
}
