/* A chain of 100,000 ephemerons, each value the next key, takes time in proportion to its length, in both orders. */
#include "check.h"

enum { LONG = 100000, SHORT = LONG / 32 };

static gc_ephemeron **table;
static void *volatile first_key; /* never read: the collector is its only reader */
static size_t length;
static int backwards;

static void build(void)
{
    void **keys = gc_calloc(length + 1, sizeof *keys);
    size_t i, k;
    CHECK(keys != NULL, "%zu keys: %s", length, strerror(errno));
    for (i = 0; i <= length; i++) {
        keys[i] = gc_malloc(16);
        *(size_t *)keys[i] = i;
    }
    table = gc_calloc(length, sizeof *table);
    for (i = 0; i < length; i++) {
        k = backwards ? length - 1 - i : i;
        table[i] = gc_ephemeron_new(keys[k], keys[k + 1]);
        CHECK(table[i] != NULL, "ephemeron %zu: %s", i, strerror(errno));
    }
    first_key = keys[0];
    memset(keys, 0, (length + 1) * sizeof *keys);
}

static void check_whole(void)
{
    size_t i, k;
    for (i = 0; i < length; i++) {
        size_t *key = gc_ephemeron_key(table[i]), *value = gc_ephemeron_value(table[i]);
        k = backwards ? length - 1 - i : i;
        CHECK(key != NULL && value != NULL, "link %zu of %zu is broken", k, length);
        CHECK(*key == k && *value == k + 1, "link %zu of %zu joins %zu and %zu", k, length, *key, *value);
    }
}

/* What this thread has cost, in nanoseconds: unlike the time of day, other work on the machine does not stretch it. */
static uint64_t cost(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0, "no clock: %s", strerror(errno));
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The cheapest of five collections of a chain, in nanoseconds. */
static uint64_t collect(size_t links, int order)
{
    uint64_t cheapest = UINT64_MAX, last;
    int i;
    length = links;
    backwards = order;
    run(build);
    for (i = 0; i < 5; i++) {
        last = cost();
        gc_collect();
        last = cost() - last;
        if (last < cheapest)
            cheapest = last;
        run(check_whole);
    }
    return cheapest;
}

static void drop(void)
{
    size_t i, broken = 0;
    first_key = NULL;
    clear_stack(16);
    gc_collect();
    for (i = 0; i < length; i++)
        broken += gc_ephemeron_value(table[i]) == NULL;
    CHECK(broken >= MOST(length), "%zu of %zu links stay without their first key", length - broken, length);
}

int main(void)
{
    int order;
    for (order = 0; order < 2; order++) {
        uint64_t few = collect(SHORT, order), many = collect(LONG, order);
        /* 32 times as long: in proportion 32, times a little for caches; with the square of it 1,024. */
        CHECK(many < few * 300, "%d links took %lu us, %d took %lu us", SHORT, (unsigned long)few / 1000, LONG,
              (unsigned long)many / 1000);
        drop();
    }
    return 0;
}
