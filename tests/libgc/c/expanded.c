/* A heap that the program has expanded keeps its pages, also when nothing is in use for a while. */
#include "check.h"
#include <sys/resource.h>
#include <time.h>

enum { MIB = 1 << 20, BUFFER = 1 << 16 };

static void *volatile kept;

static void allocate(size_t bytes) {
    for (size_t done = 0; done < bytes; done += BUFFER) {
        char *object = GC_malloc_atomic(BUFFER);
        for (size_t i = 0; i < BUFFER; i += 4096)
            object[i] = 1;
        kept = object;
    }
}

static long faults(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

int main(void) {
    long before;
    GC_INIT();
    CHECK(GC_expand_hp(200 * MIB), "expanded");
    allocate(150 * MIB);
    GC_gcollect();
    /* What nobody uses goes back little by little, as a program comes by: so this one does, for more than a second. */
    for (int i = 0; i < 1200; i++) {
        const struct timespec millisecond = {0, 1000000};
        nanosleep(&millisecond, NULL);
        allocate(BUFFER / 2);
    }
    GC_gcollect();
    before = faults();
    allocate(100 * MIB);
    CHECK(faults() - before < 100 * (MIB / 4096) / 16, "%ld faults for 100 MiB that were there", faults() - before);
    return 0;
}
