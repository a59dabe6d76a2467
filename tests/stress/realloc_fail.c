/*
 * A realloc that fails returns NULL with ENOMEM and leaves the old block whole: its contents, its size, its owner.
 *
 * Blocks of all kinds of sizes, small ones, of several OS pages, and large, meet requests that no system can grant.
 * With --grow 1 one block also doubles until a limit that the runner has set (option limit, or ulimit -v) refuses; most
 * of it is then given back, and growing works again.
 *
 *     realloc_fail [--grow 1]
 */
#include "door.h"

/* A block after a realloc that failed is what this program is about. */
#pragma GCC diagnostic ignored "-Wuse-after-free"

enum { DEADLINE_SECONDS = 60 };
static const size_t GROW_MAX = (size_t)1 << 30;         /* no limit is in force if a block can become this large */

static const size_t block_sizes[] = { 1, 16, 24, 100, 1000, 5000, 9000, 40000, 200000, 300000, 1000000, 10000000 };
/* volatile: sizes that the compiler would warn of */
static volatile const size_t absurd_sizes[] = { SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 4096, (size_t)PTRDIFF_MAX + 1,
                                                (size_t)PTRDIFF_MAX, (size_t)1 << 46 };

static void block_fill(unsigned char *block, size_t size, uint64_t seed)
{
    for (size_t i = 0; i < size; i++)
        block[i] = (unsigned char)(mix(seed + i / 8) >> i % 8 * 8);
}

static void block_check(const unsigned char *block, size_t size, uint64_t seed, const char *when)
{
    for (size_t i = 0; i < size; i++)
        if (block[i] != (unsigned char)(mix(seed + i / 8) >> i % 8 * 8))
            die("%s: byte %zu of a block of %zu bytes has changed: %p", when, i, size, (const void *)block);
}

/* The request must be refused as failing requests are; the block is then what it was. */
static void check_refused(const unsigned char *block, size_t size, size_t request, const void *result, uint64_t seed)
{
    if (result != NULL)
        die("realloc of %zu bytes to %zu succeeded", size, request);
    if (errno != ENOMEM)
        die("realloc of %zu bytes to %zu failed with errno %d (%s), not ENOMEM", size, request, errno,
            strerror(errno));
    block_check(block, size, seed, "after a realloc that failed");
}

static void meet_absurd_requests(size_t size, uint64_t seed)
{
    unsigned char *block = door_new(size);
    block_fill(block, size, seed);
    for (size_t i = 0; i < sizeof absurd_sizes / sizeof *absurd_sizes; i++) {
        errno = 0;
        check_refused(block, size, absurd_sizes[i], door_realloc(block, absurd_sizes[i]), seed);
        door_free(door_new(size));
        door_collect();
        block_check(block, size, seed, "after a realloc that failed and a collection");
    }
    unsigned char *grown = door_realloc(block, 2 * size);
    if (grown == NULL)
        die("a block that had refused to grow to absurd sizes does not grow from %zu to %zu either", size, 2 * size);
    block_check(grown, size, seed, "after a realloc that succeeded");
    door_free(grown);
}

/* Doubles a block until that is refused; the block shrinks and grows again then. Returns the size it had reached. */
static size_t grow_to_the_limit(void)
{
    size_t size = 4096;
    unsigned char *block = door_new(size), *grown;
    block_fill(block, size, 1);
    while (errno = 0, (grown = door_realloc(block, 2 * size)) != NULL) {
        block_check(grown, size, 1, "after a realloc that succeeded");
        block = grown;
        size *= 2;
        if (size >= GROW_MAX)
            die("a block grew to %zu bytes: no limit is in force", size);
        block_fill(block, size, 1);
    }
    check_refused(block, size, 2 * size, grown, 1);
    block = door_realloc(block, size / 4);
    if (block == NULL)
        die("realloc of %zu bytes to %zu failed", size, size / 4);
    grown = door_realloc(block, size / 2);
    if (grown == NULL)
        die("a block of %zu bytes does not grow to %zu, although it was that large before", size / 4, size / 2);
    block_check(grown, size / 4, 1, "after shrinking and growing");
    door_free(grown);
    return size;
}

int main(int argc, char **argv)
{
    size_t limit = 0;
    deadline(DEADLINE_SECONDS);
    for (size_t i = 0; i < sizeof block_sizes / sizeof *block_sizes; i++)
        meet_absurd_requests(block_sizes[i], i);
    if (argument(argc, argv, "--grow", 0))
        limit = grow_to_the_limit();
    printf("realloc_fail: door=%s refused_beyond=%zu collections=%lu\n", DOOR, limit, door_collections());
    return 0;
}
