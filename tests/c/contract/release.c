/* gc_release gives the memory of dead objects back to the system, and says how much. */
#include <unistd.h>
#include "check.h"

enum { BYTES = 256 << 20 };

static void *list;

static void fill(void)
{
    size_t bytes;
    for (bytes = 0; bytes < BYTES; bytes += 4096) {
        void **p = gc_malloc(4096);
        CHECK(p != NULL, "no memory");
        memset(p, 1, 4096);
        *p = list;
        list = p;
    }
}

static size_t resident(void)
{
    char text[128] = "";
    unsigned long total, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fgets(text, sizeof text, file) != NULL, "/proc/self/statm: %s", strerror(errno));
    fclose(file);
    CHECK(sscanf(text, "%lu %lu", &total, &pages) == 2, "statm is %s", text);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

int main(void)
{
    size_t full, bytes;
    uint64_t before;
    run(fill);
    full = resident();
    CHECK(full >= BYTES, "%zu bytes are resident with %d live", full, BYTES);

    before = stats().released_bytes_total;
    list = NULL;
    clear_stack(16);
    gc_collect();
    bytes = gc_release();
    CHECK(stats().released_bytes_total >= before + bytes, "gc_release says %zu, the statistics %lu", bytes,
          (unsigned long)(stats().released_bytes_total - before));
    CHECK(stats().released_bytes_total - before >= BYTES / 10 * 9, "only %lu of %d bytes were given back",
          (unsigned long)(stats().released_bytes_total - before), BYTES);
    CHECK(resident() <= full - BYTES / 10 * 9, "%zu of %zu bytes are still resident", resident(), full);
    CHECK(gc_release() <= 1 << 20, "a second gc_release found more");
    run(fill);
    return 0;
}
