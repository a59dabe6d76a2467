/* Making a call again that the stop signal has cut short.
 *
 * Some calls are ended by every signal, SA_RESTART or not.  The program has sent none when a collection stops the
 * thread, so they are made again, with what is left of their time.  A signal of the program's own still ends them: the
 * count of calls cut short goes up only when no handler of the program's is about to run, and where one has run already,
 * the call is over, though the stop signal may have come between that handler and what follows the call.
 */
#ifndef GLEANER_PERSIST_H
#define GLEANER_PERSIST_H

#include <errno.h>
#include <limits.h>
#include <time.h>

/* The Rust side: what has interrupted this thread so far. */
struct interruptions {
    unsigned calls_cut_short, handlers_run;
};
struct interruptions gleaner_interruptions(void);
void gleaner_set_calls_cut_short(unsigned count);

/* Whether the stop signal alone has ended the call that was made when the counts were `before`.  That of calls goes back:
 * a handler of the program's may be making the call, in the middle of another one. */
static inline int is_cut_short_by_us(struct interruptions before) {
    struct interruptions now = gleaner_interruptions();
    if (now.calls_cut_short == before.calls_cut_short)
        return 0;
    gleaner_set_calls_cut_short(before.calls_cut_short);
    return now.handlers_run == before.handlers_run;
}

/* Makes the call, and again, after `prepare`, while it is cut short by us. */
#define PERSIST(result, call, prepare)                                                                                 \
    do {                                                                                                               \
        struct interruptions before = gleaner_interruptions();                                                         \
        while (((result) = (call)) == -1 && errno == EINTR && is_cut_short_by_us(before)) {                            \
            prepare;                                                                                                   \
        }                                                                                                              \
    } while (0)

enum { SECOND_NS = 1000000000, MILLISECOND_NS = 1000000, YEARS_S = 1 << 30 };

/* Now, on the clock that limits of time are counted on. */
static inline long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (long long)SECOND_NS + now.tv_nsec;
}

/* When a wait ends that begins now: LLONG_MAX for never, and where the call itself will say that the time is wrong. */
static inline long long end_after(const struct timespec *time) {
    if (time == NULL || time->tv_sec < 0 || time->tv_sec > YEARS_S || time->tv_nsec < 0 || time->tv_nsec >= SECOND_NS)
        return LLONG_MAX;
    return now_ns() + time->tv_sec * (long long)SECOND_NS + time->tv_nsec;
}

/* What is left of a wait, in `left`; the time it was given if it has no end. */
static inline const struct timespec *time_left(const struct timespec *given, long long end, struct timespec *left) {
    if (end == LLONG_MAX)
        return given;
    long long ns = end - now_ns();
    if (ns < 0)
        ns = 0;
    left->tv_sec = ns / SECOND_NS;
    left->tv_nsec = ns % SECOND_NS;
    return left;
}

#endif
