/* Waiting for requests, by libaio: none is over, and the time passes.
 *
 * link: -laio
 * needs: printf '#include <libaio.h>\n' | cc -E - >/dev/null 2>&1
 */
#include "calls.h"

#include <libaio.h>

static io_context_t context;

void prepare(void)
{
    NEED(io_setup(1, &context) == 0);
}

void call(void)
{
    struct io_event event;
    struct timespec limit = { 0, LIMIT_NS };
    long long start = now_ns(CLOCK_MONOTONIC);
    ended_after(start, io_getevents(context, 1, 1, &event, &limit));
}
