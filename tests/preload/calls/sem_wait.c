/* sem_wait waits until another thread posts. */
#include "calls.h"

#include <semaphore.h>

static sem_t there;

void prepare(void)
{
    NEED(sem_init(&there, 0, 0) == 0);
}

void partner(void)
{
    linger();
    sem_post(&there);
}

void call(void)
{
    ended(sem_wait(&there));
}
