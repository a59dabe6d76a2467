/* ppoll, pselect and epoll_pwait wait for the one signal that their mask lets in, and for no other. */
#include "let_in.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

static int set;

void prepare(void)
{
    prepare_signal();
    NEED((set = epoll_create1(0)) >= 0);
}

void call(void)
{
    struct epoll_event event;
    int before = handled;
    switch (begun_by_caller % 3) {
    case 0:
        ended(ppoll(NULL, 0, NULL, &all_but_it));
        break;
    case 1:
        ended(pselect(0, NULL, NULL, NULL, NULL, &all_but_it));
        break;
    default:
        ended(epoll_pwait(set, &event, 1, -1, &all_but_it));
    }
    expect_one_more_than(before);
}
