/*
 * Cache-scratch, after Berger's: the first thread allocates a small object for each thread, side by side. Each thread
 * frees its own and goes on to allocate, write again and again, and free. An allocator that hands the memory of such an
 * object back to the thread that freed it lets the threads write to one cache line for ever.
 *
 *     scratch [--threads N] [--size BYTES] [--objects N] [--writes N]
 *
 * An operation is a write; --objects counts those of one thread, --writes those to one object.
 */
#include "report.h"

static unsigned long size, objects, writes;
static void *first[THREADS_MAX];

static uint64_t scratch(unsigned long thread)
{
    uint64_t sum = 0;
    alloc_free(first[thread]);
    first[thread] = NULL;
    for (unsigned long i = 0; i < objects; i++) {
        volatile uint64_t *object = alloc_scanned(size);
        *object = i;
        for (unsigned long w = 1; w < writes; w++)
            *object += w;
        sum += *object;
        alloc_free((void *)object);
    }
    return sum;
}

int main(int argc, char **argv)
{
    alloc_init();
    unsigned long threads = argument_threads(argc, argv);
    size = argument(argc, argv, "--size", 8);
    objects = argument(argc, argv, "--objects", 200000);
    writes = argument(argc, argv, "--writes", 1000);
    if (size < sizeof(uint64_t) || writes == 0) {
        fprintf(stderr, "scratch: --size takes 8 bytes at least, --writes one\n");
        return 2;
    }
    double started = report_now();
    for (unsigned long t = 0; t < threads; t++)
        first[t] = alloc_scanned(size);
    uint64_t checksum = run_threads(threads, scratch);
    report_operations("scratch", threads, started, threads * objects * writes, checksum, "");
    return 0;
}
