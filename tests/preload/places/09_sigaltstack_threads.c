/* Row 9: threads that run, and wait, have stacks for handlers that only the kernel knows. Nobody else may be given that
 * memory: a signal that comes at any time writes there.
 * blind: alternate
 */
#include "preload.h"

#include <pthread.h>
#include <signal.h>

enum { STACK_BYTES = 32 << 10, ROUNDS = 20, OBJECTS = 64 };

static volatile int ready, is_over, whole;
static int pipe_ends[2];

static void set_stack(void)
{
    stack_t stack = {.ss_sp = malloc(STACK_BYTES), .ss_size = STACK_BYTES};
    NEED(stack.ss_sp != NULL);
    victim_fill(stack.ss_sp);
    NEED(sigaltstack(&stack, NULL) == 0);
}

static void look(void)
{
    stack_t stack;
    NEED(sigaltstack(NULL, &stack) == 0);
    if (victim_is_whole(stack.ss_sp))
        __atomic_fetch_add(&whole, 1, __ATOMIC_SEQ_CST);
}

static void *runs(void *unused)
{
    run(set_stack);
    __atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
    while (!is_over)
        __asm__ volatile("pause");
    look();
    return unused;
}

static void *waits(void *unused)
{
    char byte;
    run(set_stack);
    __atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
    NEED(read(pipe_ends[0], &byte, 1) == 1);
    look();
    return unused;
}

/* Takes what a collection gives back, and looks whether anybody else writes there. */
static int is_ours_alone(void)
{
    static unsigned char *made[OBJECTS];
    int is_alone = 1;
    for (int i = 0; i < OBJECTS; i++) {
        NEED((made[i] = malloc(STACK_BYTES)) != NULL);
        memset(made[i], 0xee, STACK_BYTES);
    }
    malloc_trim(0);
    for (int i = 0; i < OBJECTS; i++) {
        for (int byte = 0; byte < STACK_BYTES; byte++)
            is_alone &= made[i][byte] == 0xee;
        free(made[i]);
    }
    return is_alone;
}

int main(void)
{
    pthread_t threads[2];
    int is_alone = 1;
    NEED(pipe(pipe_ends) == 0);
    NEED(pthread_create(&threads[0], NULL, runs, NULL) == 0 && pthread_create(&threads[1], NULL, waits, NULL) == 0);
    while (ready < 2)
        sched_yield();
    for (int round = 0; round < ROUNDS; round++)
        is_alone &= is_ours_alone();
    is_over = 1;
    NEED(write(pipe_ends[1], "", 1) == 1);
    for (int i = 0; i < 2; i++)
        NEED(pthread_join(threads[i], NULL) == 0);
    return verdict(is_alone && whole == 2);
}
