/* Row 11: the only pointer is in a reservation of many GiB of which hardly a page was ever used. To look for it may take
 * neither time nor memory.
 * blind: anonymous
 */
#include "preload.h"

#include <sys/mman.h>
#include <sys/resource.h>

static const size_t RESERVED = (size_t)256 << 30;

static struct victim **place;

static void put(void)
{
    place[RESERVED / 2 / sizeof *place] = victim_new();
}

/* Seconds of the processor's, and memory, page tables included. */
static double used(long *kib)
{
    struct rusage usage;
    NEED(getrusage(RUSAGE_SELF, &usage) == 0);
    *kib = usage.ru_maxrss;
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

int main(void)
{
    long kib_before, kib;
    place = mmap(NULL, RESERVED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    NEED(place != MAP_FAILED);
    run(put);
    double before = used(&kib_before);
    churn();
    double seconds = used(&kib) - before;
    NEED(kib - kib_before < 64 << 10 && "the search has taken memory");
    NEED(seconds < 10 && "the search takes time");
    return judge(place[RESERVED / 2 / sizeof *place]);
}
