/*
 * A program that grows and then frees everything by hand: a chain of objects of 16 to 527 bytes until so many bytes are
 * live, then the chain is freed from its head. A collector has nothing to find here.
 *
 *     peak [--megabytes N] [--times N]
 */
#include "report.h"

enum { SIZE_MIN = 16, SIZES = 512 };

struct object {
    struct object *next;
    uint64_t stamp;
};

int main(int argc, char **argv)
{
    alloc_init();
    uint64_t bytes = argument(argc, argv, "--megabytes", 512) << 20;
    unsigned long times = argument(argc, argv, "--times", 1);
    uint64_t operations = 0, checksum = 0;
    double started = report_now();
    for (unsigned long t = 0; t < times; t++) {
        struct object *chain = NULL;
        uint64_t made = 0;
        for (uint64_t live = 0; live < bytes; made++) {
            size_t size = SIZE_MIN + mix(made) % SIZES;
            struct object *object = alloc_scanned(size);
            *object = (struct object){ chain, made };
            chain = object;
            live += size;
        }
        operations += made;
        while (chain != NULL) {
            struct object *next = chain->next;
            if (chain->stamp != --made)
                report_lost("peak", chain, chain->stamp, made);
            checksum = checksum * 31 + chain->stamp;
            alloc_free(chain);
            chain = next;
        }
    }
    report_operations("peak", 1, started, operations, checksum, "");
    return 0;
}
