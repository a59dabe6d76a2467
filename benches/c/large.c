/*
 * Large objects, 64 KiB to 8 MiB, every doubling as often as the others: a word is written in each OS page. A few live
 * at a time, and one picked at random makes room for the next.
 *
 *     large [--threads N] [--objects N] [--scanned 0]
 *
 * --objects counts those of one thread. Nothing here relies on zeroed memory, so by hand it is malloc in both cases.
 */
#include "report.h"

enum { SIZE_MIN = 64 << 10, DOUBLINGS = 7, OS_PAGE = 4096, PLACES = 8 };

struct large {
    uint64_t *words;
    size_t size;
};

static unsigned long objects, scanned;
static struct large places[THREADS_MAX][PLACES];

static struct large large_new(size_t size)
{
    uint64_t *words = scanned ? alloc_scanned(size) : alloc_pointer_free(size);
    for (size_t at = 0; at < size; at += OS_PAGE)
        words[at / sizeof *words] = mix(size + at);
    return (struct large){ words, size };
}

static uint64_t large_end(struct large large)
{
    for (size_t at = 0; at < large.size; at += OS_PAGE)
        if (large.words[at / sizeof *large.words] != mix(large.size + at))
            report_lost("large", large.words, large.words[at / sizeof *large.words], mix(large.size + at));
    alloc_free(large.words);
    return large.size;
}

static uint64_t churn(unsigned long thread)
{
    uint64_t state = thread, sum = 0;
    for (unsigned long i = 0; i < objects; i++) {
        size_t least = (size_t)SIZE_MIN << random_below(&state, DOUBLINGS);
        struct large *place = &places[thread][random_below(&state, PLACES)];
        sum += large_end(*place);
        *place = (struct large){ NULL, 0 };
        *place = large_new(least + random_below(&state, least));
    }
    for (int i = 0; i < PLACES; i++)
        sum += large_end(places[thread][i]);
    return sum;
}

int main(int argc, char **argv)
{
    alloc_init();
    unsigned long threads = argument_threads(argc, argv);
    objects = argument(argc, argv, "--objects", 10000);
    scanned = argument(argc, argv, "--scanned", 1);
    double started = report_now();
    uint64_t checksum = run_threads(threads, churn);
    report_operations("large", threads, started, threads * objects, checksum, "");
    return 0;
}
