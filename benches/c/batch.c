/*
 * So many allocations, then as many frees, in the order of allocation: a batch of 1 is the tight pair, one of 1,000
 * outgrows small caches.
 *
 *     batch [--threads N] [--size BYTES] [--batch N] [--operations N]
 *
 * An operation is an allocation and its free; --operations counts those of one thread.
 */
#include "report.h"

enum { BATCH_MAX = 100000 };

static unsigned long size, batch, operations;

static uint64_t batches(unsigned long thread)
{
    uint64_t sum = thread;
    unsigned char **objects = alloc_uncollectable(batch * sizeof *objects);
    for (unsigned long done = 0; done < operations; done += batch) {
        for (unsigned long i = 0; i < batch; i++) {
            objects[i] = alloc_scanned(size);
            objects[i][0] = (unsigned char)(done + i);
        }
        for (unsigned long i = 0; i < batch; i++) {
            sum += objects[i][0] == (unsigned char)(done + i);
            alloc_free(alloc_opaque(objects[i]));
        }
    }
    alloc_release(objects);
    return sum;
}

int main(int argc, char **argv)
{
    alloc_init();
    unsigned long threads = argument_threads(argc, argv);
    size = argument(argc, argv, "--size", 48);
    batch = argument(argc, argv, "--batch", 1);
    operations = argument(argc, argv, "--operations", 20000000);
    if (size == 0 || batch == 0 || batch > BATCH_MAX) {
        fprintf(stderr, "batch: --size takes at least one byte, --batch 1 to %d\n", BATCH_MAX);
        return 2;
    }
    operations -= operations % batch;
    double started = report_now();
    uint64_t checksum = run_threads(threads, batches);
    report_operations("batch", threads, started, threads * operations, checksum, "");
    return 0;
}
