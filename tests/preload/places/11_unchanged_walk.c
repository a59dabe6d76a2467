/* Row 11: a random walk: pointers are written to, moved about in and taken from large mappings, which are given back,
 * protected, read into, moved, and shared with children meanwhile. A naive table, hidden from every search, says what has to
 * be there. Prints the seed when something was lost (WALK_SEED repeats it).
 * blind: written
 */
#include "unchanged.h"

#include <sys/wait.h>
#include <time.h>

enum { SLOTS = 200, STEPS = 400, PAGES = LARGE_BYTES / 4096 };

static uint64_t seed, first_seed;
static int ends[2];
/* Of each victim: where it is, and which one it is. */
static struct {
    size_t at;         /* a word of the mapping */
    uintptr_t hidden;  /* the complement of its address; 0: none */
} slots[SLOTS];

static uint64_t random_number(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

/* A word that no victim has; each page's first keeps the page there. */
static size_t free_word(void)
{
    for (;;) {
        size_t at = random_number(PAGES) * PAGE_WORDS + 1 + random_number(PAGE_WORDS - 1);
        int is_taken = 0;
        for (int i = 0; i < SLOTS; i++)
            is_taken |= slots[i].hidden != 0 && slots[i].at == at;
        if (!is_taken)
            return at;
    }
}

static NOINLINE void step(void)
{
    size_t i = random_number(SLOTS);
    if (slots[i].hidden == 0) {
        struct victim *victim = victim_new();
        slots[i].at = free_word();
        slots[i].hidden = hide(victim);
        if (random_number(4) == 0) {
            NEED(write(ends[1], &victim, sizeof victim) == sizeof victim);
            NEED(read(ends[0], &large[slots[i].at], sizeof victim) == sizeof victim);
        } else {
            large[slots[i].at] = (uintptr_t)victim;
        }
    } else if (random_number(3) == 0) {
        free((void *)large[slots[i].at]);
        large[slots[i].at] = 0;
        slots[i].hidden = 0;
    } else {
        size_t to = free_word();
        large[to] = large[slots[i].at];
        large[slots[i].at] = 0;
        slots[i].at = to;
    }
}

/* Gives a page back that holds no victim. */
static void give_back(void)
{
    size_t page = random_number(PAGES);
    for (int i = 0; i < SLOTS; i++)
        if (slots[i].hidden != 0 && slots[i].at / PAGE_WORDS == page)
            return;
    NEED(madvise(large_page(page), 4096, MADV_DONTNEED) == 0);
}

static int all_is_there(void)
{
    for (int i = 0; i < SLOTS; i++) {
        if (slots[i].hidden == 0)
            continue;
        uintptr_t found = large[slots[i].at];
        if (hide((void *)found) != slots[i].hidden || !victim_is_whole((struct victim *)found))
            return 0;
    }
    return 1;
}

static void walk(int steps)
{
    for (int i = 0; i < steps; i++) {
        uint64_t kind = random_number(100);
        if (kind < 70) {
            run(step);
        } else if (kind < 80) {
            give_back();
        } else if (kind < 95) {
            clear_stack(16);
            malloc_trim(0);
        } else if (kind < 97) {
            size_t page = random_number(PAGES);
            NEED(mprotect(large_page(page), 4096, PROT_READ) == 0);
            malloc_trim(0);
            NEED(mprotect(large_page(page), 4096, PROT_READ | PROT_WRITE) == 0);
        } else if (kind < 98) {
            void *to = mmap(NULL, LARGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            NEED(to != MAP_FAILED);
            large = mremap(large, LARGE_BYTES, LARGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, to);
            NEED(large == to);
        } else if (kind < 99) {
            churn();
        }
        if (!all_is_there()) {
            fprintf(stderr, "lost after %d steps; WALK_SEED=%llu\n", i, (unsigned long long)first_seed);
            break;
        }
    }
}

int main(void)
{
    const char *given = getenv("WALK_SEED");
    seed = first_seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 2654435761u + (uint64_t)getpid();
    NEED(pipe(ends) == 0);
    large_make(NULL);
    walk(STEPS);
    if (!all_is_there())
        return verdict(0);
    int status = 0;
    pid_t child = fork();
    NEED(child >= 0);
    if (child == 0) {
        walk(STEPS / 4);
        _exit(all_is_there() ? 0 : 1);
    }
    walk(STEPS / 4);
    NEED(waitpid(child, &status, 0) == child);
    return verdict(all_is_there() && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
