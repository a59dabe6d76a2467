/*
 * A map that forgets what was used longest ago: a hash table of chained entries, all of them in a list by last use, each
 * with a pointer-free value of 16 to 79 bytes. Keys are drawn from twice as many as the map holds, so half of the
 * operations find their key, and half evict an entry and make another.
 *
 *     lru [--entries N] [--operations N]
 *
 * stall_longest_us is the longest time between two operations once the map is full, by the processor's own clock.
 */
#include "report.h"

#include <x86intrin.h>

enum { VALUE_MIN = 16, VALUES = 64 };

struct entry {
    struct entry *chained;              /* the next of its bucket */
    struct entry *newer, *older;
    uint64_t key;
    uint64_t *value;                    /* begins with the key's stamp */
};

static struct entry **buckets;
static struct entry *newest, *oldest;
static unsigned long entries, bucket_mask, length;

static struct entry **bucket_of(uint64_t key) { return &buckets[mix(key) & bucket_mask]; }

static void list_put(struct entry *entry)
{
    entry->newer = NULL;
    entry->older = newest;
    *(newest != NULL ? &newest->newer : &oldest) = entry;
    newest = entry;
}

static void list_take(struct entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &oldest) = entry->newer;
}

static void map_put(uint64_t key)
{
    struct entry *entry = alloc_scanned(sizeof *entry), **bucket = bucket_of(key);
    uint64_t *value = alloc_pointer_free(VALUE_MIN + mix(~key) % VALUES);
    value[0] = mix(key);
    *entry = (struct entry){ .chained = *bucket, .key = key, .value = value };
    *bucket = entry;
    list_put(entry);
    length++;
}

static void map_evict(void)
{
    struct entry *entry = oldest, **link = bucket_of(entry->key);
    while (*link != entry)
        link = &(*link)->chained;
    *link = entry->chained;
    list_take(entry);
    alloc_free(entry->value);
    alloc_free(entry);
    length--;
}

/* One operation: 1 if the key was there. */
static uint64_t map_use(uint64_t key)
{
    struct entry *entry = *bucket_of(key);
    while (entry != NULL && entry->key != key)
        entry = entry->chained;
    if (entry == NULL) {
        if (length == entries)
            map_evict();
        map_put(key);
        return 0;
    }
    if (entry->value[0] != mix(key))
        report_lost("lru", entry->value, entry->value[0], mix(key));
    list_take(entry);
    list_put(entry);
    return 1;
}

int main(int argc, char **argv)
{
    char stall[64];
    alloc_init();
    entries = argument(argc, argv, "--entries", 1000000);
    unsigned long operations = argument(argc, argv, "--operations", 10000000);
    if (entries == 0) {
        fprintf(stderr, "lru: --entries takes at least one\n");
        return 2;
    }
    for (bucket_mask = 1; bucket_mask < entries; bucket_mask *= 2)
        continue;
    double started = report_now();
    uint64_t ticks_started = __rdtsc(), ticks_before = 0, ticks_longest = 0;
    buckets = alloc_zeroed(bucket_mask-- * sizeof *buckets);
    uint64_t state = 1, checksum = 0;
    for (unsigned long i = 0; i < operations; i++) {
        checksum = checksum * 3 + map_use(1 + random_below(&state, 2 * entries));
        uint64_t ticks = __rdtsc();
        if (ticks_before != 0 && ticks - ticks_before > ticks_longest)
            ticks_longest = ticks - ticks_before;
        ticks_before = length == entries ? ticks : 0;
    }
    double ticks_a_us = (double)(__rdtsc() - ticks_started) / ((report_now() - started) * 1e6);
    snprintf(stall, sizeof stall, "stall_longest_us=%.0f", (double)ticks_longest / ticks_a_us);
    report_operations("lru", 1, started, operations, checksum, stall);
    return 0;
}
