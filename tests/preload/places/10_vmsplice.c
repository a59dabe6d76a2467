/* Row 10: the only pointer is in memory that a pipe has a part in and the program has not any more.
 * blind: sent
 */
#include "preload.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>

static int ends[2];

static void put(void)
{
    enum { PAGE = 4096 };
    struct victim **page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(page != MAP_FAILED);
    page[0] = victim_new();
    struct iovec part = {page, sizeof *page};
    NEED(vmsplice(ends[1], &part, 1, 0) == sizeof *page);
    NEED(munmap(page, PAGE) == 0);
}

int main(void)
{
    struct victim *victim = NULL;
    NEED(pipe(ends) == 0);
    run(put);
    churn();
    NEED(read(ends[0], &victim, sizeof victim) == sizeof victim);
    return judge(victim);
}
