/* Calls that take signals out of the queue: the stop signal is not theirs to take, unless they name it.
 *
 * A thread may be cancelled in them, so they are called from C.
 */
#include "persist.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <time.h>

/* The Rust side: what of a set may be waited for, and the C library's own functions, those that wait called in a safe
 * region. */
unsigned long gleaner_awaited(unsigned long set);
int gleaner_call_sigwait(const sigset_t *, int *);
int gleaner_call_sigwaitinfo(const sigset_t *, siginfo_t *);
int gleaner_call_sigtimedwait(const sigset_t *, siginfo_t *, const struct timespec *);
int gleaner_is_anything_sent(void);
void gleaner_note_signal(const siginfo_t *);
int (*gleaner_real_signalfd(void))(int, const sigset_t *, int);

/* The kernel's set is the first word of the C library's. */
static sigset_t without_ours(const sigset_t *set) {
    sigset_t rest = *set;
    rest.__val[0] = gleaner_awaited(rest.__val[0]);
    return rest;
}

static void note_signal(int number, const siginfo_t *information) {
    if (number > 0 && information != NULL && gleaner_is_anything_sent())
        gleaner_note_signal(information);
}

int gleaner_edge_sigwait(const sigset_t *set, int *number) {
    sigset_t rest = without_ours(set);
    return gleaner_call_sigwait(&rest, number);
}

int gleaner_edge_sigwaitinfo(const sigset_t *set, siginfo_t *information) {
    sigset_t rest = without_ours(set);
    int result;
    PERSIST(result, gleaner_call_sigwaitinfo(&rest, information), (void)0);
    note_signal(result, information);
    return result;
}

int gleaner_edge_sigtimedwait(const sigset_t *set, siginfo_t *information, const struct timespec *limit) {
    sigset_t rest = without_ours(set);
    struct timespec left;
    long long end = end_after(limit);
    int result;
    PERSIST(result, gleaner_call_sigtimedwait(&rest, information, limit), limit = time_left(limit, end, &left));
    note_signal(result, information);
    return result;
}

int gleaner_edge_signalfd(int fd, const sigset_t *set, int flags) {
    sigset_t rest = without_ours(set);
    return gleaner_real_signalfd()(fd, &rest, flags);
}
