/* Row 10: the only pointer is in a pipe that another one was doubled into, and has been read from that one already.
 * blind: sent
 */
#include "preload.h"

#include <fcntl.h>

static int one[2], other[2];

static void put(void)
{
    struct victim *victim = victim_new();
    NEED(write(one[1], &victim, sizeof victim) == sizeof victim);
    NEED(tee(one[0], other[1], sizeof victim, 0) == sizeof victim);
}

static struct victim *take(int descriptor)
{
    struct victim *victim = NULL;
    NEED(read(descriptor, &victim, sizeof victim) == sizeof victim);
    return victim;
}

static void look(void)
{
    NEED(victim_is_whole(take(one[0])));
}

int main(void)
{
    NEED(pipe(one) == 0 && pipe(other) == 0);
    run(put);
    run(look);
    churn();
    return judge(take(other[0]));
}
