/* Row 7: the only pointer is the data of an event in a set that a child has from its parent. The child collects.
 * blind: held
 */
#include "preload.h"

#include <sys/epoll.h>
#include <sys/wait.h>

static int set, ends[2];

static void put(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = victim_new()};
    NEED(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event) == 0);
}

static struct victim *take(void)
{
    struct epoll_event event;
    NEED(epoll_wait(set, &event, 1, -1) == 1);
    return event.data.ptr;
}

int main(void)
{
    int status;
    NEED((set = epoll_create1(0)) >= 0 && pipe(ends) == 0);
    run(put);
    NEED(write(ends[1], "", 1) == 1);
    pid_t child = fork();
    NEED(child >= 0);
    if (child == 0) {
        churn();
        _exit(victim_is_whole(take()) ? 0 : 1);
    }
    NEED(waitpid(child, &status, 0) == child);
    return verdict(status == 0);
}
