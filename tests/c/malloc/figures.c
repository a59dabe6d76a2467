/* mallinfo, mallinfo2, malloc_info and malloc_stats say what this program allocated, to the byte; malloc_trim tells the
 * truth. The last figures go to standard output and standard error, where the test reads them. */
#include <malloc.h>
#include "family.h"

enum { COUNT = 50 };
static const size_t sizes[] = {0, 1, 16, 48, 100, 127, 128, 1000, 4096, 10000, 65536, 200000, 300000, 1 << 20, 5000001};
enum { SIZES = sizeof sizes / sizeof *sizes };
static void *objects[COUNT];

/* An object takes its usable bytes and one more: addresses one past its end lie inside. */
static size_t allocate(size_t size)
{
    size_t bytes = 0;
    int i;
    for (i = 0; i < COUNT; i++) {
        objects[i] = malloc(size);
        CHECK(objects[i] != NULL, "no memory");
        bytes += malloc_usable_size(objects[i]) + 1;
    }
    return bytes;
}

static void release(void)
{
    int i;
    for (i = 0; i < COUNT; i++)
        free(objects[i]);
}

static void counted_to_the_byte(size_t size)
{
    struct mallinfo2 before = mallinfo2(), with, after;
    size_t bytes = allocate(size);
    int is_large = size >= 262144;
    with = mallinfo2();
    release();
    after = mallinfo2();
    CHECK(with.uordblks - before.uordblks == bytes, "%d objects of %zu: %zu bytes in use, expected %zu", COUNT, size,
          with.uordblks - before.uordblks, bytes);
    CHECK(with.hblks - before.hblks == (is_large ? COUNT : 0), "size %zu: %zu large objects", size,
          with.hblks - before.hblks);
    CHECK(with.hblkhd - before.hblkhd == (is_large ? bytes : 0), "size %zu: %zu large bytes", size,
          with.hblkhd - before.hblkhd);
    CHECK(after.uordblks == before.uordblks, "size %zu: %zu bytes in use before, %zu after", size, before.uordblks,
          after.uordblks);
    CHECK(with.arena + with.hblkhd == with.uordblks + with.fordblks, "size %zu: %zu + %zu taken, %zu + %zu inside", size,
          with.arena, with.hblkhd, with.uordblks, with.fordblks);
}

static void both_shapes_agree(void)
{
    struct mallinfo2 wide = mallinfo2();
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    struct mallinfo narrow = mallinfo();
    CHECK((int)wide.uordblks == narrow.uordblks && (int)wide.arena == narrow.arena && (int)wide.hblks == narrow.hblks,
          "mallinfo says %d in use, mallinfo2 %zu", narrow.uordblks, wide.uordblks);
}

static void trim_tells_the_truth(void)
{
    size_t i;
    char *big = malloc(32 << 20);
    memset(big, 1, 32 << 20);
    for (i = 0; i < 3; i++)
        if (malloc_trim(0) == 0)
            break;
    CHECK(malloc_trim(0) == 0, "pages were given back where none was free");
    free(big);
    CHECK(mallinfo2().keepcost >= 32 << 20, "%zu bytes could be given back", mallinfo2().keepcost);
    CHECK(malloc_trim(0) == 1, "no page was given back of 32 MiB");
    CHECK(mallinfo2().keepcost == 0, "%zu bytes could still be given back", mallinfo2().keepcost);
}

int main(void)
{
    int i;
    static char buffer[4096];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (i = 0; i < SIZES; i++)
        counted_to_the_byte(sizes[i]);
    both_shapes_agree();
    trim_tells_the_truth();

    allocate(100);
    CHECK(malloc_info(1, stdout) == EINVAL, "malloc_info takes options");
    fprintf(stderr, "expected %zu\n", mallinfo2().uordblks);
    malloc_stats();
    CHECK(malloc_info(0, stdout) == 0, "malloc_info");
    return 0;
}
