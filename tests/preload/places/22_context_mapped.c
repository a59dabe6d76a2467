/* Row 22: the only pointer is on the stack of a coroutine, which is mapped memory.
 * blind: anonymous
 */
#include "preload.h"

#include <sys/mman.h>
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
    char *stack = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    place = malloc(sizeof *place);
    NEED(stack != MAP_FAILED && place != NULL && getcontext(place) == 0);
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
