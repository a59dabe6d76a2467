/* Row 20: the only pointer is at an odd byte of another thread's stack.
 * blind: frames
 */
#include "beside.h"

static NOINLINE void put(char *at)
{
    struct victim *victim = victim_new();
    memcpy(at, &victim, sizeof victim);
}

static void *other(void *unused)
{
    char place[64] = {0};
    struct victim *victim;
    put(place + 13);
    clear_stack(4);
    let_collect();
    memcpy(&victim, place + 13, sizeof victim);
    judge(victim);
    return unused;
}

int main(void)
{
    collect_beside(other);
    return 0;
}
