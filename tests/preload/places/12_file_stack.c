/* Row 12: the only pointer is on a thread's stack, which the program has put into a file.
 * blind: frames,registers
 */
#include "preload.h"

#include <pthread.h>
#include <sys/mman.h>

enum { STACK_BYTES = 1 << 18 };

static int ready[2], go[2];

static void *hold(void *unused)
{
    char byte;
    struct victim *volatile victim = victim_new();
    NEED(write(ready[1], "", 1) == 1);
    NEED(read(go[0], &byte, 1) == 1);
    judge(victim);
    return unused;
}

int main(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    char byte;
    char name[] = "./preload-XXXXXX";
    int file = mkstemp(name);
    NEED(file >= 0 && unlink(name) == 0 && ftruncate(file, STACK_BYTES) == 0);
    void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    NEED(stack != MAP_FAILED && pipe(ready) == 0 && pipe(go) == 0);
    NEED(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, stack, STACK_BYTES) == 0);
    NEED(pthread_create(&thread, &attributes, hold, NULL) == 0);
    NEED(read(ready[0], &byte, 1) == 1);
    churn();
    NEED(write(go[1], "", 1) == 1);
    return pthread_join(thread, NULL);
}
