/* Row 7: the only pointer is the data of an event whose descriptor was closed, and given to another file that is waited for
 * as well. The first file is open by another descriptor, so its event comes all the same. Many others end meanwhile.
 * blind: held
 */
#include "preload.h"

#include <fcntl.h>
#include <sys/epoll.h>

enum { OTHERS = 400 };
static int set, ends[2], others[2], copy;

static void put(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = victim_new()};
    NEED(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event) == 0);
    NEED((copy = dup(ends[0])) >= 0);
    NEED(dup2(others[0], ends[0]) == ends[0]);
    event.data.ptr = malloc(VICTIM_BYTES);
    NEED(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event) == 0);
}

/* What has ended is forgotten sooner or later; what has not is not. */
static void add_and_remove(void)
{
    for (int i = 0; i < OTHERS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = malloc(VICTIM_BYTES)};
        NEED(epoll_ctl(set, EPOLL_CTL_ADD, others[1], &event) == 0);
        NEED(epoll_ctl(set, EPOLL_CTL_DEL, others[1], NULL) == 0);
    }
}

static struct victim *take(void)
{
    struct epoll_event event;
    NEED(epoll_wait(set, &event, 1, -1) == 1);
    return event.data.ptr;
}

int main(void)
{
    NEED((set = epoll_create1(0)) >= 0 && pipe(ends) == 0 && pipe(others) == 0);
    run(put);
    run(add_and_remove);
    churn();
    run(add_and_remove);
    churn();
    NEED(write(ends[1], "", 1) == 1);
    return judge(take());
}
