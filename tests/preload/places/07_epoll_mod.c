/* Row 7: the only pointer is the data of an event that has been changed, and is waited for once at a time.
 * blind: held
 */
#include "preload.h"

#include <sys/epoll.h>
#include <sys/syscall.h>

static int set, ends[2];

static void put(void)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = victim_new()};
    NEED(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event) == 0);
}

static void change(void)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = victim_new()};
    NEED(syscall(SYS_epoll_ctl, set, EPOLL_CTL_MOD, ends[0], &event) == 0);
    /* The kernel refuses both, and keeps what it has. */
    event.data.ptr = NULL;
    NEED(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event) == -1 && errno == EEXIST);
    NEED(epoll_ctl(set, EPOLL_CTL_MOD, ends[1], &event) == -1 && errno == ENOENT);
    NEED(epoll_ctl(set, EPOLL_CTL_MOD, ends[0], (void *)8) == -1 && errno == EFAULT);
}

static struct victim *take(void)
{
    struct epoll_event event;
    NEED(epoll_wait(set, &event, 1, -1) == 1);
    return event.data.ptr;
}

int main(void)
{
    NEED((set = epoll_create1(0)) >= 0 && pipe(ends) == 0);
    run(put);
    NEED(write(ends[1], "", 1) == 1);
    NEED(victim_is_whole(take()));
    run(change);
    churn();
    return judge(take());
}
