/* Row 9: the only pointer is the kernel's, to where handlers of signals run.
 * blind: alternate
 */
#include "preload.h"

#include <signal.h>

enum { STACK_BYTES = 8 << 10 };
static volatile int handled;

static void on_signal(int number)
{
    char frame[1024];
    memset(frame, number, sizeof frame);
    handled = frame[17] == number;
}

static void put(void)
{
    stack_t stack = {.ss_sp = malloc(STACK_BYTES), .ss_size = STACK_BYTES};
    NEED(stack.ss_sp != NULL);
    victim_fill(stack.ss_sp);
    NEED(sigaltstack(&stack, NULL) == 0);
}

static int is_whole;

static void look(void)
{
    stack_t stack;
    NEED(sigaltstack(NULL, &stack) == 0 && stack.ss_flags == 0);
    is_whole = victim_is_whole(stack.ss_sp);
    stack_t none = {.ss_flags = SS_DISABLE};
    NEED(sigaltstack(&none, NULL) == 0);
    if (is_whole)
        free(stack.ss_sp);
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    NEED(sigaction(SIGUSR1, &action, NULL) == 0);
    run(put);
    churn_bytes(STACK_BYTES);
    NEED(raise(SIGUSR1) == 0 && handled);
    run(look);
    return verdict(is_whole);
}
