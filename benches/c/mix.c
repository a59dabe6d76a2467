/*
 * A mix of sizes and lifetimes as real programs have them, by the table in mix.h. An object goes to a place picked at
 * random among as many as objects of its lifetime are alive together, and what was there is freed: it lives about as
 * long as it did in the program.
 *
 *     mix [--threads N] [--operations N]          operations (an allocation and a free) of one thread
 */
#include "report.h"

#include "mix.h"

enum { ROWS = sizeof mix_rows / sizeof *mix_rows, LIFETIMES = 6, PICKS = 1 << 14 };

/* The allocations that an object of each lifetime sees. */
static const uint64_t lifetime_length[LIFETIMES] = { 1, 5, 80, 1200, 20000, 300000 };
/* Drawn from at random, so that a row comes as often as it should. */
static uint16_t picks[PICKS];
/* How many objects of each lifetime are alive together. */
static uint64_t place_count[LIFETIMES];
static unsigned long operations;

static void table_prepare(void)
{
    uint64_t all = 0, share[LIFETIMES] = { 0 };
    for (unsigned row = 0; row < ROWS; row++) {
        all += mix_rows[row].per_million;
        share[mix_rows[row].lifetime] += mix_rows[row].per_million;
    }
    for (uint64_t row = 0, pick = 0, below = 0; row < ROWS; row++) {
        below += mix_rows[row].per_million;
        for (; pick * all < below * PICKS; pick++)
            picks[pick] = (uint16_t)row;
    }
    for (int l = 0; l < LIFETIMES; l++)
        place_count[l] = share[l] * lifetime_length[l] / all + 1;
}

static uint64_t *object_new(size_t size, uint64_t stamp)
{
    uint64_t *object = alloc_scanned(size);
    object[0] = stamp;
    object[1] = ~stamp;
    return object;
}

static uint64_t object_end(uint64_t *object)
{
    if (object == NULL)
        return 0;
    uint64_t stamp = object[0];
    if (object[1] != ~stamp)
        report_lost("mix", object, object[1], ~stamp);
    alloc_free(object);
    return mix(stamp);
}

static uint64_t replay(unsigned long thread)
{
    uint64_t **places[LIFETIMES], state = thread, sum = 0;
    for (int l = 0; l < LIFETIMES; l++)
        places[l] = alloc_uncollectable(place_count[l] * sizeof **places);
    for (unsigned long i = 0; i < operations; i++) {
        const struct mix_row *row = &mix_rows[picks[random_below(&state, PICKS)]];
        uint64_t **place = &places[row->lifetime][random_below(&state, place_count[row->lifetime])];
        sum += object_end(*place);
        *place = object_new(row->size, i);
    }
    for (int l = 0; l < LIFETIMES; l++) {
        for (uint64_t i = 0; i < place_count[l]; i++)
            sum += object_end(places[l][i]);
        alloc_release(places[l]);
    }
    return sum;
}

int main(int argc, char **argv)
{
    alloc_init();
    unsigned long threads = argument_threads(argc, argv);
    operations = argument(argc, argv, "--operations", 10000000);
    table_prepare();
    double started = report_now();
    uint64_t checksum = run_threads(threads, replay);
    report_operations("mix", threads, started, threads * operations, checksum, "");
    return 0;
}
