/*
 * Garbage only: objects of one size are allocated, their first byte is written, and they are dropped at once. Nothing
 * lives, so this times handing out, clearing, and taking back.
 *
 *     garbage [--threads N] [--size BYTES] [--objects N] [--scanned 0]
 *
 * --objects counts those of one thread. Scanned objects come zeroed (calloc), the others do not (malloc).
 */
#include "report.h"

static unsigned long size, objects, scanned;

static uint64_t scanned_garbage(void)
{
    uint64_t clean = 0;
    for (unsigned long i = 0; i < objects; i++) {
        unsigned char *object = alloc_opaque(alloc_zeroed(size));
        clean += object[0] == 0;
        object[0] = (unsigned char)(i | 1);
        alloc_free(alloc_opaque(object));
    }
    return clean;
}

static uint64_t pointer_free_garbage(void)
{
    uint64_t kept = 0;
    for (unsigned long i = 0; i < objects; i++) {
        unsigned char *object = alloc_pointer_free(size);
        object[0] = (unsigned char)i;
        object = alloc_opaque(object);
        kept += object[0] == (unsigned char)i;
        alloc_free(object);
    }
    return kept;
}

static uint64_t garbage(unsigned long thread)
{
    (void)thread;
    return scanned ? scanned_garbage() : pointer_free_garbage();
}

int main(int argc, char **argv)
{
    alloc_init();
    unsigned long threads = argument_threads(argc, argv);
    size = argument(argc, argv, "--size", 64);
    objects = argument(argc, argv, "--objects", 10000000);
    scanned = argument(argc, argv, "--scanned", 1);
    if (size == 0) {
        fprintf(stderr, "garbage: --size takes at least one byte\n");
        return 2;
    }
    double started = report_now();
    uint64_t checksum = run_threads(threads, garbage);
    report_operations("garbage", threads, started, threads * objects, checksum, "");
    return 0;
}
