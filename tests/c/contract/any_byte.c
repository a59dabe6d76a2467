/* On a stack an address keeps its object at whatever byte it lies: compilers that take a value apart put the rest of it
 * where there is room. Elsewhere it has to be an aligned word. */
#include <pthread.h>
#include "check.h"

enum { SHIFTS = 8, DEEP = 64 << 10 };

static gc_weak *held[SHIFTS], *in_static_data[MANY];
static unsigned char aside[MANY * sizeof(void *) + SHIFTS];

/* An object whose only address is written to `at`, byte by byte. */
static NOINLINE void put(volatile unsigned char *at, gc_weak **cell)
{
    uintptr_t hidden;
    void *p = gc_malloc(64);
    size_t i;
    *cell = observe(p);
    hidden = hide(p);
    for (i = 0; i < sizeof p; i++)
        at[i] = (unsigned char)~(hidden >> (8 * i));
}

static NOINLINE void collect_beside(volatile unsigned char *words, const char *where)
{
    int shift;
    for (shift = 0; shift < SHIFTS; shift++)
        put(words + shift * 2 * sizeof(void *) + shift, &held[shift]);
    clear_stack(4);
    gc_collect();
    for (shift = 0; shift < SHIFTS; shift++)
        CHECK(gc_weak_get(held[shift]) != NULL, "%s: the object whose address lies at byte %d of a word is gone", where, shift);
    __asm__ volatile("" : : "r"(words) : "memory");
}

static NOINLINE void on_a_short_stack(const char *where)
{
    volatile unsigned char words[SHIFTS * 2 * sizeof(void *) + SHIFTS];
    memset((void *)words, 0, sizeof words);
    collect_beside(words, where);
}

static NOINLINE void on_a_long_stack(const char *where)
{
    volatile unsigned char room[DEEP];
    /* Somewhere in the middle, across a page. */
    volatile unsigned char *words = room + DEEP / 2;
    words += -(uintptr_t)words % 4096 - 60;
    memset((void *)room, 0, sizeof room);
    collect_beside(words, where);
}

static void *thread(void *unused)
{
    on_a_short_stack("a thread");
    on_a_long_stack("a thread's long stack");
    return unused;
}

static pthread_barrier_t before, after;

static void *waiting(void *unused)
{
    volatile unsigned char words[SHIFTS * 2 * sizeof(void *) + SHIFTS];
    int shift;
    memset((void *)words, 0, sizeof words);
    for (shift = 0; shift < SHIFTS; shift++)
        put(words + shift * 2 * sizeof(void *) + shift, &held[shift]);
    clear_stack(4);
    pthread_barrier_wait(&before);
    pthread_barrier_wait(&after);
    __asm__ volatile("" : : "r"(words) : "memory");
    return unused;
}

static void fill_static_data(void)
{
    size_t i;
    for (i = 0; i < MANY; i++)
        put(aside + 3 + i * sizeof(void *), &in_static_data[i]);
}

int main(void)
{
    pthread_t id;
    int shift;
    on_a_short_stack("the main thread");
    on_a_long_stack("the main thread's long stack");
    CHECK(pthread_create(&id, NULL, thread, NULL) == 0 && pthread_join(id, NULL) == 0, "no thread");

    pthread_barrier_init(&before, NULL, 2);
    pthread_barrier_init(&after, NULL, 2);
    CHECK(pthread_create(&id, NULL, waiting, NULL) == 0, "no thread");
    pthread_barrier_wait(&before);
    gc_collect();
    for (shift = 0; shift < SHIFTS; shift++)
        CHECK(gc_weak_get(held[shift]) != NULL, "a waiting thread: the object at byte %d of a word is gone", shift);
    pthread_barrier_wait(&after);
    CHECK(pthread_join(id, NULL) == 0, "join");

    run(fill_static_data);
    gc_collect();
    CHECK(cleared(in_static_data, MANY) >= MOST(MANY), "static data keeps %zu objects by words at odd bytes",
          MANY - cleared(in_static_data, MANY));
    return 0;
}
