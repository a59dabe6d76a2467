/*
 * A live set replaced at random: each operation frees an object picked at random and allocates another, of 16 to 271
 * bytes. The larger the set, the more of the time goes to cache misses.
 *
 *     replace [--threads N] [--live N] [--operations N]          both numbers count those of one thread
 */
#include "report.h"

enum { SIZE_MIN = 16, SIZES = 256 };

static unsigned long live, operations;

static uint64_t *object_new(uint64_t stamp)
{
    uint64_t *object = alloc_scanned(SIZE_MIN + mix(stamp) % SIZES);
    object[0] = stamp;
    object[1] = ~stamp;
    return object;
}

static uint64_t object_end(uint64_t *object)
{
    uint64_t stamp = object[0];
    if (object[1] != ~stamp)
        report_lost("replace", object, object[1], ~stamp);
    alloc_free(object);
    return mix(stamp);
}

static uint64_t churn(unsigned long thread)
{
    uint64_t state = thread, sum = 0;
    uint64_t **places = alloc_uncollectable(live * sizeof *places);
    for (unsigned long i = 0; i < live; i++)
        places[i] = object_new(i);
    for (unsigned long i = 0; i < operations; i++) {
        uint64_t **place = &places[random_below(&state, live)];
        sum += object_end(*place);
        *place = object_new(live + i);
    }
    for (unsigned long i = 0; i < live; i++)
        sum += object_end(places[i]);
    alloc_release(places);
    return sum;
}

int main(int argc, char **argv)
{
    alloc_init();
    unsigned long threads = argument_threads(argc, argv);
    live = argument(argc, argv, "--live", 100000);
    operations = argument(argc, argv, "--operations", 5000000);
    if (live == 0) {
        fprintf(stderr, "replace: --live takes at least one object\n");
        return 2;
    }
    double started = report_now();
    uint64_t checksum = run_threads(threads, churn);
    report_operations("replace", threads, started, threads * (live + operations), checksum, "");
    return 0;
}
