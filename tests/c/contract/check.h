/* What the contract programs share: checks with an exact message, and a stack without forgotten pointers.
 *
 * The search for live objects is conservative: a stale word in a register or on the stack may keep an object. So
 * objects are made and dropped inside a function that is not inlined, by the hundred, the dead part of the stack is
 * overwritten, and at least 99 of 100 must be gone. What must stay alive is checked one by one.
 *
 * Addresses that must not count as references are stored complemented (`hide`).
 */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <gleaner.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOINLINE __attribute__((__noinline__))

/* CHECK(condition, "format", ...): says what is wrong, with the figures, and ends the program. */
#define CHECK(condition, ...)                                         \
    do {                                                              \
        if (!(condition)) {                                           \
            printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);    \
            printf(__VA_ARGS__);                                      \
            putchar('\n');                                            \
            fflush(stdout);                                           \
            _Exit(1);                                                 \
        }                                                             \
    } while (0)

/* The count of objects that each program drops, and how many of `count` must at least be gone. */
enum { MANY = 1000 };
#define MOST(count) ((size_t)(count) - (size_t)(count) / 100)

/* Overwrites the dead part of the stack, 4 KiB a level. */
static NOINLINE __attribute__((unused)) void clear_stack(int depth)
{
    volatile char frame[4096];
    memset((void *)frame, 0, sizeof frame);
    if (depth > 0)
        clear_stack(depth - 1);
    __asm__ volatile("" : : "r"(frame) : "memory");
}

static NOINLINE __attribute__((unused)) void in_own_frame(void (*step)(void))
{
    step();
    __asm__ volatile("" : : : "memory", "rbx", "r12", "r13", "r14", "r15");
}

/* Runs `step` in a frame of its own, then overwrites what it left behind. */
static __attribute__((unused)) void run(void (*step)(void))
{
    in_own_frame(step);
    clear_stack(16);
}

static inline uintptr_t hide(const void *p)
{
    return ~(uintptr_t)p;
}

static inline void *reveal(uintptr_t hidden)
{
    return (void *)~hidden;
}

/* Keeps the compiler from knowing a value: sizes that it would warn about, objects that it would optimise away. */
static inline size_t opaque(size_t value)
{
    __asm__ volatile("" : "+r"(value));
    return value;
}

static inline void *known_at_run_time(void *p)
{
    __asm__ volatile("" : "+r"(p));
    return p;
}

static inline void use(const void *p)
{
    __asm__ volatile("" : : "g"(p) : "memory");
}

/* How many of these cells have been cleared; a NULL cell is a mistake of the program. */
static __attribute__((unused)) size_t cleared(gc_weak *const *cells, size_t count)
{
    size_t i, n = 0;
    for (i = 0; i < count; i++)
        n += gc_weak_get(cells[i]) == NULL;
    return n;
}

/* A short weak cell: it observes, and keeps nothing. */
static __attribute__((unused)) gc_weak *observe(void *object)
{
    gc_weak *cell = gc_weak_register(object, GC_WEAK_SHORT);
    CHECK(cell != NULL, "no weak cell for %p: %s", object, strerror(errno));
    return cell;
}

static __attribute__((unused)) gc_stats stats(void)
{
    gc_stats now;
    memset(&now, 0, sizeof now);
    now.size = sizeof now;
    CHECK(gc_stats_get(&now) == 0, "gc_stats_get failed");
    return now;
}

/* Collects until `expected` threads are known: one that has been joined may still be on its way out of the kernel. */
static __attribute__((unused)) void await_threads(uint64_t expected)
{
    time_t deadline = time(NULL) + 20;
    while (stats().threads != expected) {
        CHECK(time(NULL) < deadline, "%lu threads are known, expected %lu", (unsigned long)stats().threads,
              (unsigned long)expected);
        sched_yield();
        gc_collect();
    }
}

/* Checks that a result with its errno is NULL and `expected`. The call is the last argument's. */
#define CHECK_REFUSED(expected, call)                                                                        \
    do {                                                                                                     \
        void *result_;                                                                                       \
        errno = 0;                                                                                           \
        result_ = (void *)(call);                                                                            \
        CHECK(result_ == NULL, "%s gave %p", #call, result_);                                                \
        CHECK(errno == (expected), "%s: errno is %d, expected %d (%s)", #call, errno, (expected), #expected); \
    } while (0)

#endif
