/* epoll_pwait2 waits for nothing, and its time.
 *
 * needs: printf '#include <sys/epoll.h>\nint main(void) { return epoll_pwait2(-1, 0, 0, 0, 0); }\n' | cc -D_GNU_SOURCE -Werror -x c -o /dev/null -
 */
#include "calls.h"

#include <sys/epoll.h>

static int set;

void prepare(void)
{
    NEED((set = epoll_create1(0)) >= 0);
}

void call(void)
{
    long long start = now_ns(CLOCK_MONOTONIC);
    struct timespec limit = { 0, LIMIT_NS };
    struct epoll_event event;
    ended_after(start, epoll_pwait2(set, &event, 1, &limit, NULL));
}
