/*
 * What weak objects cost a collection: 1,000,000 weak words, or pairs, of as many objects, all alive, then half of them
 * dead; beside the same objects without, and beside as many weak cells and ephemerons of their own. Prints milliseconds of
 * a collection, medians of five.
 */
#include <gleaner.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECTS = 1000000, ROUNDS = 5 };

static void **objects;
/* Nobody reads them but the collector. */
static void **volatile words;
static gc_pair *volatile pairs;
static gc_weak **volatile cells;
static gc_ephemeron **volatile ephemerons;

static double collect_ms(void)
{
    gc_stats stats = { .size = sizeof stats };
    gc_collect();
    gc_stats_get(&stats);
    return (double)stats.pause_last_ns / 1e6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *what)
{
    double ms[ROUNDS], dead;
    for (int round = 0; round < ROUNDS; round++)
        ms[round] = collect_ms();
    qsort(ms, ROUNDS, sizeof *ms, by_value);
    for (int i = 0; i < OBJECTS; i += 2)
        objects[i] = NULL;
    dead = collect_ms();
    printf("%-28s %6.1f %6.1f\n", what, ms[ROUNDS / 2], dead);
}

/* Objects in an order that is not that of their addresses. */
static void make_objects(void)
{
    for (size_t i = 0; i < OBJECTS; i++)
        objects[i * 7919 % OBJECTS] = gc_malloc(32);
}

int main(void)
{
    objects = gc_calloc(OBJECTS, sizeof *objects);
    printf("%-28s %6s %6s\n", "ms a collection", "alive", "half");
    /* The first time the heap is new. */
    make_objects();
    measure("1,000,000 objects, at first");
    make_objects();
    measure("1,000,000 objects");
    make_objects();
    words = gc_malloc_weak(OBJECTS * sizeof *words);
    memcpy((void *)words, objects, OBJECTS * sizeof *words);
    measure("and weak words");
    make_objects();
    words = NULL;
    pairs = gc_malloc_ephemerons(OBJECTS);
    for (int i = 0; i < OBJECTS; i++)
        pairs[i] = (gc_pair){ objects[i], objects[i], NULL };
    measure("and pairs");
    pairs = NULL;
    make_objects();
    ephemerons = gc_calloc(OBJECTS, sizeof *ephemerons);
    for (int i = 0; i < OBJECTS; i++)
        ephemerons[i] = gc_ephemeron_new(objects[i], objects[i]);
    measure("and ephemerons of their own");
    ephemerons = NULL;
    make_objects();
    cells = calloc(OBJECTS, sizeof *cells);
    for (int i = 0; i < OBJECTS; i++)
        cells[i] = gc_weak_register(objects[i], GC_WEAK_SHORT);
    measure("and weak cells");
    return 0;
}
