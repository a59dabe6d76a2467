/*
 * A server, after the benchmark by Larson and Krishnan: each thread replaces objects of 8 to 511 bytes at random in a
 * table. After a while it ends and leaves the table to a thread started anew, which frees what another has allocated.
 *
 *     larson [--threads N] [--objects N] [--generations N] [--operations N]
 *
 * --objects counts those of one table, --operations the replacements of one thread in one generation.
 */
#include "report.h"

enum { SIZE_MIN = 8, SIZES = 504 };

static unsigned long threads, objects, operations, generation;
static uint64_t **tables[THREADS_MAX];

static uint64_t *object_new(uint64_t stamp)
{
    uint64_t *object = alloc_scanned(SIZE_MIN + mix(stamp) % SIZES);
    object[0] = stamp;
    return object;
}

/* One thread's life: the tables go round. */
static uint64_t serve(unsigned long thread)
{
    unsigned long table = (thread + generation) % threads;
    uint64_t state = generation * threads + table, sum = 0;
    for (unsigned long i = 0; i < operations; i++) {
        uint64_t **place = &tables[table][random_below(&state, objects)];
        sum += **place;
        alloc_free(*place);
        *place = object_new(generation * operations + i);
    }
    return mix(sum);
}

int main(int argc, char **argv)
{
    alloc_init();
    threads = argument_threads(argc, argv);
    objects = argument(argc, argv, "--objects", 5000);
    operations = argument(argc, argv, "--operations", 50000);
    unsigned long generations = argument(argc, argv, "--generations", 100);
    if (objects == 0) {
        fprintf(stderr, "larson: --objects takes at least one\n");
        return 2;
    }
    double started = report_now();
    for (unsigned long t = 0; t < threads; t++) {
        tables[t] = alloc_uncollectable(objects * sizeof *tables[t]);
        for (unsigned long i = 0; i < objects; i++)
            tables[t][i] = object_new(i);
    }
    uint64_t checksum = 0;
    for (generation = 0; generation < generations; generation++)
        checksum = mix(checksum) + run_threads(threads, serve);
    for (unsigned long t = 0; t < threads; t++) {
        for (unsigned long i = 0; i < objects; i++)
            alloc_free(tables[t][i]);
        alloc_release(tables[t]);
    }
    report_operations("larson", threads, started, threads * generations * operations, checksum, "");
    return 0;
}
