/*
 * A heap limit that live data reaches: the allocation that does not fit returns NULL with ENOMEM after a few
 * collections, every time, and the program goes on. When live data is dropped, allocating works again.
 *
 * Shows: at most ten collections from a heap that is nearly full of live data to the first NULL, at most ten for each
 *        further request that is refused, and nothing lost.
 *
 *     limit --megabytes N     the limit, set by gc_heap_limit_set; under the malloc door the runner sets option limit
 */
#include "door.h"

#include <dlfcn.h>

enum { COLLECTIONS_MAX = 10, REFUSALS = 100, DEADLINE_SECONDS = 60 };

struct block {
    struct block *next;
    uint64_t index, proof;
    unsigned char rest[];
};

/* What filling the heap came to. */
struct filled {
    size_t live_bytes;
    unsigned long collections;
};

static unsigned long (*collections_now)(void);
static size_t limit;

/* What is live: a list, the youngest block first. Static, so that no stale copy of its head lies in a frame. */
static struct block *blocks;
static uint64_t count;

/* Objects of several classes, some of them large. */
static size_t block_bytes(uint64_t index)
{
    static const size_t sizes[] = { 48, 200, 1000, 3000, 300000 };
    return index % 97 == 0 ? sizes[4] : sizes[index % 4];
}

/* Puts one more block on the list and returns its size; 0 when memory is refused, as it must be refused. */
static size_t block_push(void)
{
    errno = 0;
    struct block *block = door_alloc(block_bytes(count));
    if (block == NULL && errno != ENOMEM)
        die("an allocation failed with errno %d (%s), not ENOMEM", errno, strerror(errno));
    if (block == NULL)
        return 0;
    *block = (struct block){ .next = blocks, .index = count, .proof = mix(count) };
    blocks = block;
    return block_bytes(count++);
}

/* Each is taken off the list: a stale copy of one's address, say on the stack of a thread that has ended, keeps that one. */
static void blocks_drop_half(void *data)
{
    (void)data;
    for (uint64_t dropped = count / 2; dropped-- > 0; count--) {
        struct block *block = blocks;
        blocks = block->next;
        block->next = NULL;
    }
}

static void blocks_check(const char *when)
{
    const struct block *block = blocks;
    for (uint64_t index = count; index-- > 0; block = block->next)
        if (block == NULL || block->index != index || block->proof != mix(index))
            die("%s: block %llu of %llu is lost: %p", when, (unsigned long long)index, (unsigned long long)count,
                (const void *)block);
}

/* Fills the heap with live data and counts the collections from three quarters of the limit to the first NULL. */
static void fill(void *data)
{
    struct filled *filled = data;
    size_t *live_bytes = &filled->live_bytes, bytes;
    unsigned long nearly_full = 0;
    while ((bytes = block_push()) != 0) {
        *live_bytes += bytes;
        if (*live_bytes > limit)
            die("%zu bytes are live under a limit of %zu", *live_bytes, limit);
        if (*live_bytes <= limit / 4 * 3)
            nearly_full = collections_now();
    }
    if (*live_bytes < limit / 4 * 3)
        die("memory is refused with only %zu bytes live under a limit of %zu", *live_bytes, limit);
    filled->collections = collections_now() - nearly_full;
    blocks_check("at the limit");
}

/* Asks for more than is left, many times, and finds the most collections that one refusal took. */
static void be_refused(void *data)
{
    unsigned long *worst = data;
    for (int i = 0; i < REFUSALS; i++) {
        unsigned long before = collections_now();
        errno = 0;
        if (door_alloc(limit / 2) != NULL)
            die("half of the limit was granted on top of live data that had reached it");
        if (errno != ENOMEM)
            die("a refused allocation set errno %d (%s), not ENOMEM", errno, strerror(errno));
        if (collections_now() - before > *worst)
            *worst = collections_now() - before;
    }
    blocks_check("after many refusals");
}

/* The younger half is dropped: a good part of what fitted before fits again. */
static void drop_and_fill_again(void)
{
    size_t bytes, again_bytes = 0;
    aside(blocks_drop_half, NULL);
    while (again_bytes < limit / 8 && (bytes = block_push()) != 0)
        again_bytes += bytes;
    if (again_bytes < limit / 8)
        die("only %zu bytes are granted after half of the live data was dropped", again_bytes);
    blocks_check("after dropping and filling again");
}

int main(int argc, char **argv)
{
    struct filled filled = { 0, 0 };
    unsigned long a_refusal = 0;
    deadline(DEADLINE_SECONDS);
    limit = argument(argc, argv, "--megabytes", 64) << 20;
    *(void **)&collections_now = dlsym(RTLD_DEFAULT, "gc_collections");
    if (collections_now == NULL)
        die("no gc_collections in this process: run it with libgleaner_malloc preloaded");
#ifndef DOOR_MALLOC
    gc_heap_limit_set(limit);
#endif
    aside(fill, &filled);
    if (filled.collections > COLLECTIONS_MAX)
        die("%lu collections from three quarters of the limit to the first NULL", filled.collections);
    aside(be_refused, &a_refusal);
    if (a_refusal > COLLECTIONS_MAX)
        die("%lu collections for one refused request", a_refusal);
    drop_and_fill_again();
    printf("limit: door=%s limit=%zu live_at_null=%zu collections_to_null=%lu collections_a_refusal=%lu "
           "collections=%lu\n", DOOR, limit, filled.live_bytes, filled.collections, a_refusal, collections_now());
    return 0;
}
