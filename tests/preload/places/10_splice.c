/* Row 10: the only pointers are in pipes that were filled from others, which are closed.
 * blind: sent
 */
#include "preload.h"

#include <fcntl.h>

enum { PIPES = 100 };
static int end[PIPES];

static void put(void)
{
    for (int i = 0; i < PIPES; i++) {
        struct victim *victim = victim_new();
        int from[2], to[2];
        NEED(pipe(from) == 0 && pipe(to) == 0);
        NEED(write(from[1], &victim, sizeof victim) == sizeof victim);
        NEED(splice(from[0], NULL, to[1], NULL, sizeof victim, 0) == sizeof victim);
        NEED(close(from[0]) == 0 && close(from[1]) == 0 && close(to[1]) == 0);
        end[i] = to[0];
    }
}

int main(void)
{
    int whole = 0;
    run(put);
    churn();
    for (int i = 0; i < PIPES; i++) {
        struct victim *victim = NULL;
        NEED(read(end[i], &victim, sizeof victim) == sizeof victim);
        whole += victim_is_whole(victim);
    }
    return verdict(whole == PIPES);
}
