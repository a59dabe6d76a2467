/* Row 3: the only pointer is in a thread-local variable of another thread, which sleeps.
 * blind: frames,control
 */
#include "beside.h"

static __thread struct victim *place;

static void put(void)
{
    place = victim_new();
}

static void *other(void *unused)
{
    run(put);
    let_collect();
    judge(place);
    return unused;
}

int main(void)
{
    collect_beside(other);
    return 0;
}
