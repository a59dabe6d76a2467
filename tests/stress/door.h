/*
 * The two doors as one set of words, so that a stress program is written once:
 *
 *     (default)       gleaner.h, linked with libgleaner
 *     -DDOOR_MALLOC   malloc and free as any C program has them; run with libgleaner_malloc preloaded. Without it
 *                     the program still runs, on glibc's heap, and collects nothing.
 *
 * door_alloc answers NULL and ENOMEM as both doors do; door_new ends the program instead.
 */
#ifndef DOOR_H
#define DOOR_H

#include "stress.h"

#ifdef DOOR_MALLOC

#define DOOR "malloc"

#ifdef __cplusplus
extern "C" {
#endif
extern void gc_collect(void) __attribute__((weak));
extern unsigned long gc_collections(void) __attribute__((weak));
#ifdef __cplusplus
}
#endif

UNUSED static void *door_alloc(size_t size) { return malloc(size); }
UNUSED static void *door_realloc(void *object, size_t size) { return realloc(object, size); }
UNUSED static void door_free(void *object) { free(object); }
UNUSED static void door_collect(void)
{
    if (gc_collect != NULL)
        gc_collect();
}
UNUSED static unsigned long door_collections(void) { return gc_collections != NULL ? gc_collections() : 0; }

#else

#include <gleaner.h>

#define DOOR "gleaner"

UNUSED static void *door_alloc(size_t size) { return gc_malloc(size); }
UNUSED static void *door_realloc(void *object, size_t size) { return gc_realloc(object, size); }
UNUSED static void door_free(void *object) { gc_free(object); }
UNUSED static void door_collect(void) { gc_collect(); }
UNUSED static unsigned long door_collections(void) { return gc_collections(); }

#endif

UNUSED static void *door_new(size_t size)
{
    void *object = door_alloc(size);
    if (object == NULL)
        die("no memory for %zu bytes: %s", size, strerror(errno));
    return object;
}

/*
 * A list of `length` cells that knows what it holds: chain_check ends the program if one of them is not the cell
 * that chain_new made for `seed`. Cells have three sizes, so that a chain spans size classes.
 */
struct cell {
    struct cell *next;
    uint64_t seed, index, proof;
};

UNUSED static size_t cell_bytes(uint64_t index) { return sizeof(struct cell) + index % 3 * 48; }
UNUSED static uint64_t cell_proof(uint64_t seed, uint64_t index) { return mix(seed * 0x9e3779b97f4a7c15u + index); }

UNUSED static struct cell *cell_new(struct cell *next, uint64_t seed, uint64_t index)
{
    struct cell *cell = (struct cell *)door_new(cell_bytes(index));
    cell->next = next;
    cell->seed = seed;
    cell->index = index;
    cell->proof = cell_proof(seed, index);
    return cell;
}

UNUSED static struct cell *chain_new(uint64_t seed, uint64_t length)
{
    struct cell *chain = NULL;
    for (uint64_t index = length; index-- > 0;)
        chain = cell_new(chain, seed, index);
    return chain;
}

UNUSED static void chain_check(const struct cell *chain, uint64_t seed, uint64_t length, const char *where)
{
    for (uint64_t index = 0; index < length; index++, chain = chain->next)
        if (chain == NULL || chain->seed != seed || chain->index != index || chain->proof != cell_proof(seed, index))
            die("%s: cell %llu of %llu of chain %llx is lost: %p", where, (unsigned long long)index,
                (unsigned long long)length, (unsigned long long)seed, (const void *)chain);
    if (chain != NULL)
        die("%s: chain %llx goes on beyond its %llu cells: %p", where, (unsigned long long)seed,
            (unsigned long long)length, (const void *)chain);
}

UNUSED static void chain_free(struct cell *chain)
{
    while (chain != NULL) {
        struct cell *next = chain->next;
        door_free(chain);
        chain = next;
    }
}

#endif
