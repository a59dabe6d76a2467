/*
 * A chain of ephemerons: key i + 1 is reachable only through the value of key i. A marker that walks all ephemerons
 * again for each key that turns live needs quadratic time; this one must need linear time.
 *
 * The ephemerons stand in their table against the order of the chain, the worst order for a plain sweep over the
 * table. Half the length and the whole are timed; the ratio of the fastest collections is 2 when the time is linear
 * and 4 when it is quadratic.
 *
 * Shows: linear time; all values live while the first key is held; all gone, in one collection, once it is not.
 *
 *     ephemeron_chain [--length N]
 */
#include "door.h"

enum { TIMED = 7, DEADLINE_SECONDS = 120 };
static const double SECONDS_MAX = 10, RATIO_MAX = 3;

struct link {
    struct link *next_key;          /* in a value: the next key; in a key: NULL */
    uint64_t index, proof;
};

static gc_ephemeron **table;
static struct link *first_key;

static struct link *link_new(struct link *next_key, uint64_t index)
{
    struct link *link = door_new(sizeof *link);
    *link = (struct link){ next_key, index, mix(index) };
    return link;
}

NOINLINE static void chain_build(unsigned long length)
{
    table = door_new(length * sizeof *table);
    struct link *key = first_key = link_new(NULL, 0);
    for (unsigned long i = 0; i < length; i++) {
        struct link *next_key = link_new(NULL, i + 1);
        struct link *value = link_new(next_key, i);
        gc_ephemeron *ephemeron = gc_ephemeron_new(key, value);
        if (ephemeron == NULL)
            die("no memory for ephemeron %lu", i);
        table[length - 1 - i] = ephemeron;
        key = next_key;
    }
}

NOINLINE static void chain_whole(unsigned long length)
{
    struct link *key = first_key;
    for (unsigned long i = 0; i < length; i++) {
        gc_ephemeron *ephemeron = table[length - 1 - i];
        struct link *value = gc_ephemeron_value(ephemeron);
        if (gc_ephemeron_key(ephemeron) != key || key->index != i || key->proof != mix(i) || value == NULL
            || value->index != i || value->proof != mix(i))
            die("ephemeron %lu of %lu has lost its key or its value, which the first key reaches", i, length);
        key = value->next_key;
    }
}

NOINLINE static unsigned long chain_left(unsigned long length)
{
    unsigned long left = 0;
    for (unsigned long i = 0; i < length; i++)
        left += gc_ephemeron_key(table[i]) != NULL || gc_ephemeron_value(table[i]) != NULL;
    return left;
}

/* The fastest of several collections of a chain of that length, which is built, checked and dropped. */
static double collect_chain_s(unsigned long length)
{
    double fastest_s = 0;
    chain_build(length);
    for (int i = 0; i < TIMED; i++) {
        double started = now_s();
        gc_collect();
        double spent_s = now_s() - started;
        if (spent_s > SECONDS_MAX)
            die("collecting a chain of %lu ephemerons took %.1f s, more than %.0f s", length, spent_s, SECONDS_MAX);
        if (i == 0 || spent_s < fastest_s)
            fastest_s = spent_s;
    }
    chain_whole(length);
    first_key = NULL;
    stack_clear();
    gc_collect();
    unsigned long left = chain_left(length);
    if (left * 100 > length)
        die("%lu of %lu ephemerons are not clear although the first key is gone", left, length);
    table = NULL;
    return fastest_s;
}

int main(int argc, char **argv)
{
    deadline(DEADLINE_SECONDS);
    unsigned long length = argument(argc, argv, "--length", 100000);
    double half_s = collect_chain_s(length / 2);
    double whole_s = collect_chain_s(length);
    printf("ephemeron_chain: length=%lu half_ms=%.2f whole_ms=%.2f ratio=%.2f\n", length, half_s * 1e3, whole_s * 1e3,
           whole_s / half_s);
    if (whole_s > RATIO_MAX * half_s)
        die("twice the length takes %.1f times the time: not linear", whole_s / half_s);
    return 0;
}
