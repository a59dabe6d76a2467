/* Row 11: the only pointer is in a large reservation, in a process that nobody may look into, itself by most of /proc
 * included. To look for it may not take a call, and room in page tables, for each page that was never used.
 * blind: anonymous
 */
#include "preload.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static const size_t RESERVED = (size_t)16 << 30;

static struct victim **place;

static void put(void)
{
    place[RESERVED / 2 / sizeof *place] = victim_new();
}

/* KiB of page tables. */
static long page_tables(void)
{
    char line[256];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");
    NEED(status != NULL);
    while (fgets(line, sizeof line, status) != NULL)
        sscanf(line, "VmPTE: %ld", &kib);
    NEED(kib >= 0 && fclose(status) == 0);
    return kib;
}

int main(void)
{
    /* A process of root's may look into any. */
    NEED(geteuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0));
    NEED(prctl(PR_SET_DUMPABLE, 0) == 0 && open("/proc/self/pagemap", O_RDONLY) < 0);
    place = mmap(NULL, RESERVED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    NEED(place != MAP_FAILED);
    run(put);
    long before = page_tables();
    churn();
    /* With an entry for each page it would be 32 MiB. */
    NEED(page_tables() - before < 4 << 10);
    return judge(place[RESERVED / 2 / sizeof *place]);
}
