/*
 * What an allocation costs where an interpreter makes its values: a constant size, two words written, a window of live
 * objects, the oldest dropped. The ways in turn, five rounds each; prints nanoseconds an object, medians, collections
 * included. Each way but the last two has its objects zeroed.
 *
 *     gc_malloc         a call of the library
 *     gc_malloc_inline  gleaner_inline.h, which finds the thread's cache by itself
 *     gc_cache_malloc   gleaner_inline.h, from a cache in a register
 *     mi_zalloc         mimalloc by hand: mi_zalloc, and mi_free of the object that is dropped
 *     mi_malloc         the same, not zeroed
 *     bump              a pointer raised in an array that is used again: what the loop costs
 */
#include <gleaner_inline.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void *mi_malloc(size_t size);
void *mi_zalloc(size_t size);
void mi_free(void *object);

enum { OBJECTS = 2000000, WINDOW = 1024, ROUNDS = 5, BUMP_BYTES = 1 << 18 };

struct node {
    struct node *next;
    uintptr_t number;
};

static struct node *window[WINDOW];

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* A loop of one way and one size: `allocate` and `drop` stand in it, and `prepare` before it. */
#define LOOP(way, size, prepare, allocate, drop)                            \
    static void way##_##size(void)                                          \
    {                                                                       \
        prepare;                                                            \
        for (uintptr_t i = 0; i < OBJECTS; i++) {                           \
            struct node **place = &window[i % WINDOW], *old = *place;       \
            struct node *node = (struct node *)(allocate);                  \
            node->next = old == NULL ? NULL : node;                         \
            node->number = i;                                               \
            *place = node;                                                  \
            drop;                                                           \
        }                                                                   \
    }

static _Alignas(16) char bump_array[BUMP_BYTES];
static char *bump_next = bump_array;

static inline void *bump(size_t size)
{
    char *object = bump_next;
    bump_next = object + size;
    if (__builtin_expect(bump_next > bump_array + BUMP_BYTES - 128, 0))
        bump_next = bump_array;
    return object;
}

#define WAYS(size)                                                                                              \
    LOOP(gc_malloc, size, (void)0, gc_malloc(size), (void)0)                                                    \
    LOOP(gc_malloc_inline, size, (void)0, gc_malloc_inline(size), (void)0)                                      \
    LOOP(gc_cache_malloc, size, gc_cache *cache = gc_cache_get(size, GC_KIND_SCANNED), gc_cache_malloc(cache), (void)0) \
    LOOP(mi_zalloc, size, (void)0, mi_zalloc(size), mi_free(old))                                               \
    LOOP(mi_malloc, size, (void)0, mi_malloc(size), mi_free(old))                                               \
    LOOP(bump, size, (void)0, bump(size), (void)0)

WAYS(16)
WAYS(32)
WAYS(48)
WAYS(64)
WAYS(96)
WAYS(128)

enum { SIZES = 6, WAY_COUNT = 6 };

#define OF_WAY(way) { #way, { way##_16, way##_32, way##_48, way##_64, way##_96, way##_128 } }

static const struct {
    const char *name;
    void (*run[SIZES])(void);
} ways[WAY_COUNT] = { OF_WAY(gc_malloc), OF_WAY(gc_malloc_inline), OF_WAY(gc_cache_malloc), OF_WAY(mi_zalloc), OF_WAY(mi_malloc),
                      OF_WAY(bump) };
static const int sizes[SIZES] = { 16, 32, 48, 64, 96, 128 };
static double ns[WAY_COUNT][SIZES][ROUNDS];

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(int way, int size)
{
    qsort(ns[way][size], ROUNDS, sizeof(double), by_value);
    return ns[way][size][ROUNDS / 2];
}

int main(void)
{
    /* The first round warms up. */
    for (int round = -1; round < ROUNDS; round++)
        for (int size = 0; size < SIZES; size++)
            for (int way = 0; way < WAY_COUNT; way++) {
                double start = now_ns();
                ways[way].run[size]();
                if (round >= 0)
                    ns[way][size][round] = (now_ns() - start) / OBJECTS;
                /* The next way does not free what this one has left. */
                memset(window, 0, sizeof window);
            }
    printf("%-17s", "ns an object");
    for (int size = 0; size < SIZES; size++)
        printf(" %4d B", sizes[size]);
    for (int way = 0; way < WAY_COUNT; way++) {
        printf("\n%-17s", ways[way].name);
        for (int size = 0; size < SIZES; size++)
            printf(" %6.2f", median(way, size));
    }
    printf("\n");
    return 0;
}
