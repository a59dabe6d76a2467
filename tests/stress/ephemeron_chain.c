/*
 * A chain of ephemerons: key i + 1 is reachable only through the value of key i. A marker that walks all ephemerons
 * again for each key that turns live needs quadratic time; this one must need linear time.
 *
 * The ephemerons stand in their table against the order of the chain, the worst order for a plain sweep over the
 * table. A sixteenth of the length and the whole are timed. The ratio of the fastest collections is 16 when the time is
 * linear, some times as much when the whole does not fit into the caches that the part fits into (each link is a few
 * reads of which none can start before the last is done), and 256 when it is quadratic.
 *
 * Shows: linear time; all values live while the first key is held; all gone, in one collection, once it is not.
 *
 *     ephemeron_chain [--length N]
 */
#include "door.h"

enum { TIMED = 7, PARTS = 16, DEADLINE_SECONDS = 120 };
static const double SECONDS_MAX = 10, RATIO_MAX = 100;

struct link {
    struct link *next_key;          /* in a value: the next key; in a key: NULL */
    uint64_t index, proof;
};

/*
 * What a step on a thread of its own hands to the next. The table is held by an address inside it: by its start, a root
 * would also hold the object that ends there, perhaps a key.
 */
static gc_ephemeron **table;
static struct link *first_key;
static unsigned long length, left;

static struct link *link_new(struct link *next_key, uint64_t index)
{
    struct link *link = door_new(sizeof *link);
    *link = (struct link){ next_key, index, mix(index) };
    return link;
}

static void chain_build(void *data)
{
    (void)data;
    table = (gc_ephemeron **)door_new((length + 1) * sizeof *table) + 1;
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

static void chain_whole(void *data)
{
    (void)data;
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

static void chain_drop(void *data)
{
    (void)data;
    first_key = NULL;
}

static void chain_left(void *data)
{
    (void)data;
    left = 0;
    for (unsigned long i = 0; i < length; i++)
        left += gc_ephemeron_key(table[i]) != NULL || gc_ephemeron_value(table[i]) != NULL;
}

/* The fastest of several collections of a chain of that length, which is built, checked and dropped. */
static double collect_chain_s(unsigned long chain_length)
{
    double fastest_s = 0;
    length = chain_length;
    aside(chain_build, NULL);
    for (int i = 0; i < TIMED; i++) {
        double started = now_s();
        gc_collect();
        double spent_s = now_s() - started;
        if (spent_s > SECONDS_MAX)
            die("collecting a chain of %lu ephemerons took %.1f s, more than %.0f s", length, spent_s, SECONDS_MAX);
        if (i == 0 || spent_s < fastest_s)
            fastest_s = spent_s;
    }
    aside(chain_whole, NULL);
    aside(chain_drop, NULL);
    gc_collect();
    aside(chain_left, NULL);
    if (left * 100 > length)
        die("%lu of %lu ephemerons are not clear although the first key is gone", left, length);
    table = NULL;
    return fastest_s;
}

int main(int argc, char **argv)
{
    deadline(DEADLINE_SECONDS);
    unsigned long whole = argument(argc, argv, "--length", 100000);
    double part_s = collect_chain_s(whole / PARTS);
    double whole_s = collect_chain_s(whole);
    printf("ephemeron_chain: length=%lu part_ms=%.2f whole_ms=%.2f ratio=%.2f\n", whole, part_s * 1e3, whole_s * 1e3,
           whole_s / part_s);
    if (whole_s > RATIO_MAX * part_s)
        die("%d times the length takes %.1f times the time: not linear", PARTS, whole_s / part_s);
    return 0;
}
