/* Row 7: the only pointer is the data of an event that an epoll set waits for. Half of the sets are asked by a copy of
 * their descriptor, and the first is closed.
 * blind: held
 */
#include "preload.h"

#include <sys/epoll.h>

enum { SETS = 4 };
static int sets[SETS], ends[2];

static void put(void)
{
    for (int i = 0; i < SETS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = victim_new()};
        NEED(epoll_ctl(sets[i], EPOLL_CTL_ADD, ends[0], &event) == 0);
        if (i % 2 != 0) {
            int copy = dup(sets[i]);
            NEED(copy >= 0 && close(sets[i]) == 0);
            sets[i] = copy;
        }
    }
}

static struct victim *take(int set)
{
    struct epoll_event event;
    NEED(epoll_wait(set, &event, 1, -1) == 1);
    return event.data.ptr;
}

int main(void)
{
    int is_whole = 1;
    NEED(pipe(ends) == 0);
    for (int i = 0; i < SETS; i++)
        NEED((sets[i] = epoll_create1(0)) >= 0);
    run(put);
    churn();
    NEED(write(ends[1], "", 1) == 1);
    for (int i = 0; i < SETS; i++)
        is_whole &= victim_is_whole(take(sets[i]));
    return verdict(is_whole);
}
