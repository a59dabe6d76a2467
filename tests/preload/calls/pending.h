/* Threads that have blocked nearly all signals, each in a way of its own: no signal waits for them but what the program
 * has sent, as sigpending says, and none waits for long as the kernel's file says, unless it was blocked by what no library
 * sees.
 */
#include "calls.h"

/* The set in a line of the kernel's file of this thread. */
static inline unsigned long long set_from_kernel(const char *name)
{
    char line[128];
    unsigned long long set = 0;
    int is_there = 0;
    FILE *status = fopen("/proc/thread-self/status", "r");
    NEED(status != NULL);
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            is_there = sscanf(line + strlen(name), ":%llx", &set) == 1;
    NEED(is_there && fclose(status) == 0);
    return set;
}

/* Runs for a while, so that a stop has to come by a signal. */
static inline void run_on(void)
{
    long long end = now_ns(CLOCK_MONOTONIC) + LIMIT_NS;
    while (now_ns(CLOCK_MONOTONIC) < end) {
    }
}

static inline int is_any_pending(void)
{
    sigset_t pending;
    NEED(sigpending(&pending) == 0);
    /* Not sigisemptyset, to which half of the signals are none. */
    for (int number = 1; number < NSIG; number++)
        if (sigismember(&pending, number) == 1)
            return 1;
    return 0;
}

/* One that is just about to come is not pending for long. */
static inline int is_pending_for_long(void)
{
    for (int look = 0; look < 30; look++)
        if (set_from_kernel("SigPnd") == 0)
            return 0;
    return 1;
}

/* A call that has ended so: nothing is pending. */
static inline void ended_by_looking(int is_blocked_past_us)
{
    run_on();
    ended(is_any_pending() || (!is_blocked_past_us && is_pending_for_long()));
}
