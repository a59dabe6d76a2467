/* Row 12: the only pointer is in a page of a file's private mapping that was written, and so is the process's own.
 * blind: files
 */
#include "preload.h"

#include <sys/mman.h>

static struct victim **place;

static void put(void)
{
    place[1000] = victim_new();
}

int main(void)
{
    char name[] = "/tmp/preload-XXXXXX";
    int file = mkstemp(name);
    NEED(file >= 0 && unlink(name) == 0 && ftruncate(file, 1 << 16) == 0);
    place = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    NEED(place != MAP_FAILED && close(file) == 0);
    run(put);
    churn();
    return judge(place[1000]);
}
