/* Row 12: mappings reach beyond the ends of their files, where a look is deadly; the only pointer is in front of it.
 * blind: shared
 */
#include "preload.h"

#include <sys/mman.h>

enum { PAGE = 4096, PAGES = 8 };

static struct victim **place;

static void put(void)
{
    place[100] = victim_new();
}

/* A memory file of that many pages, once longer, mapped with more; each page has been written while it was there. */
static void *cut(int kind, int pages)
{
    int file = memfd_create("place", MFD_CLOEXEC);
    NEED(file >= 0 && ftruncate(file, PAGES * PAGE) == 0);
    char *start = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, kind, file, 0);
    NEED(start != MAP_FAILED);
    for (int page = 0; page < PAGES; page++)
        start[page * PAGE] = 1;
    NEED(ftruncate(file, pages * PAGE) == 0 && close(file) == 0);
    return start;
}

int main(void)
{
    cut(MAP_PRIVATE, 1);
    cut(MAP_SHARED, 0);
    place = cut(MAP_SHARED, 1);
    run(put);
    churn();
    return judge(place[100]);
}
