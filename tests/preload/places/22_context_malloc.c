/* Row 22: the only pointer is on the stack of a coroutine, which is an object; the context is one, too.
 * blind: files
 */
#include "preload.h"

#include <ucontext.h>

static ucontext_t here;
static ucontext_t *place = (ucontext_t *)8;

static void coroutine(void)
{
    struct victim *volatile victim = victim_new();
    swapcontext(place, &here);
    judge(victim);
}

static void put(void)
{
    char *stack = malloc(1 << 16);
    place = malloc(sizeof *place);
    NEED(stack != NULL && place != NULL && getcontext(place) == 0);
    place->uc_stack.ss_sp = stack;
    place->uc_stack.ss_size = 1 << 16;
    place->uc_link = &here;
    makecontext(place, coroutine, 0);
    swapcontext(&here, place);
}

int main(void)
{
    run(put);
    churn();
    swapcontext(&here, place);
    return 0;
}
