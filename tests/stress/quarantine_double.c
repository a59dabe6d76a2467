/*
 * A program that frees objects twice, from two places: one at once, one long after and with collections in between.
 * An allocator that believes the second call hands the same memory to two owners. With free=quarantine the program
 * runs to its end with every checksum intact, and the report names both places for both objects.
 *
 * Prints the two addresses, so that the runner can find them in the report.
 */
#define DOOR_MALLOC
#include "door.h"

#pragma GCC diagnostic ignored "-Wuse-after-free"

enum { OBJECT_BYTES = 72, OWNERS = 4000, CELLS = 5000, DEADLINE_SECONDS = 60 };

static void *freed_at_once, *freed_later;

/* The two places. After each call something is left to do, so that the place lies in the function. */
NOINLINE static void release_first(void *object)
{
    free(object);
    __asm__ volatile("" ::: "memory");
}

NOINLINE static void release_again(void *object)
{
    free(object);
    __asm__ volatile("" ::: "memory");
}

/* Many owners of objects of that size: no two may have the same one, nor one that the program still reaches. */
static void check_owners(const char *when)
{
    static uint64_t *owned[OWNERS];
    for (uint64_t i = 0; i < OWNERS; i++) {
        owned[i] = door_new(OBJECT_BYTES);
        if ((void *)owned[i] == freed_at_once || (void *)owned[i] == freed_later)
            die("%s: an object freed twice was handed out although it is still reached: %p", when, (void *)owned[i]);
        for (size_t word = 0; word < OBJECT_BYTES / sizeof *owned[i]; word++)
            owned[i][word] = mix(i + word);
    }
    chain_check(chain_new(1, CELLS), 1, CELLS, when);
    for (uint64_t i = 0; i < OWNERS; i++) {
        for (size_t word = 0; word < OBJECT_BYTES / sizeof *owned[i]; word++)
            if (owned[i][word] != mix(i + word))
                die("%s: word %zu of owner %llu has changed: two owners share %p", when, word, (unsigned long long)i,
                    (void *)owned[i]);
        free(owned[i]);
    }
}

int main(void)
{
    deadline(DEADLINE_SECONDS);
    struct cell *kept = chain_new(2, CELLS);
    freed_at_once = door_new(OBJECT_BYTES);
    freed_later = door_new(OBJECT_BYTES);

    release_first(freed_at_once);
    release_again(freed_at_once);
    check_owners("after a second free at once");

    release_first(freed_later);
    check_owners("after a first free");
    door_collect();
    check_owners("after a collection");
    release_again(freed_later);
    check_owners("after a late second free");
    door_collect();
    check_owners("at the end");

    chain_check(kept, 2, CELLS, "chain kept all the time");
    printf("quarantine_double: objects=%p,%p collections=%lu\n", freed_at_once, freed_later, door_collections());
    return 0;
}
