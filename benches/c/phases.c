/*
 * Phases: a program builds, drops half of what it has at random, and builds again, with other sizes. What the dropped
 * half still costs shows in the resident set after each phase.
 *
 *     phases [--objects N] [--rounds N] [--again SIZES]
 *
 * First there are SIZES_FIRST sizes from SIZE_MIN on, then SIZES (512) and SIZES_FIRST in turn.
 *
 * rss_built_kb is the resident set after the first phase, rss_dropped_R_kb and rss_rebuilt_R_kb after those of round R,
 * rss_rebuilt_kb at the end; live_kb is what the objects were asked to be then, their table with them. A collector
 * collects after each drop.
 */
#include "report.h"

enum { SIZE_MIN = 16, SIZES_FIRST = 256, ROUNDS_MAX = 20, FIGURES_A_ROUND = 64 };

struct object {
    uint64_t stamp, size;
};

static struct object **table;
static unsigned long objects;
static uint64_t live_bytes, made, checksum;

/* Fills the empty places with objects of SIZE_MIN to SIZE_MIN + sizes - 1 bytes, all of them written. */
static void build(uint64_t sizes)
{
    for (unsigned long i = 0; i < objects; i++) {
        if (table[i] != NULL)
            continue;
        size_t size = SIZE_MIN + mix(++made) % sizes;
        table[i] = alloc_scanned(size);
        memset(table[i], 0, size);
        *table[i] = (struct object){ mix(made), size };
        live_bytes += size;
    }
}

/* Drops each object with a chance of one in two. */
static void drop_half(uint64_t seed)
{
    for (unsigned long i = 0; i < objects; i++) {
        if (random_next(&seed) & 1)
            continue;
        live_bytes -= table[i]->size;
        checksum = checksum * 31 + table[i]->stamp;
        alloc_free(table[i]);
        table[i] = NULL;
    }
    alloc_collect();
}

int main(int argc, char **argv)
{
    char figures[(ROUNDS_MAX + 2) * FIGURES_A_ROUND];
    alloc_init();
    objects = argument(argc, argv, "--objects", 1000000);
    unsigned long rounds = argument(argc, argv, "--rounds", 3), again = argument(argc, argv, "--again", 512);
    if (rounds > ROUNDS_MAX || again == 0) {
        fprintf(stderr, "phases: --rounds takes %d at most, --again at least 1\n", ROUNDS_MAX);
        return 2;
    }
    double started = report_now();
    table = alloc_uncollectable(objects * sizeof(struct object *));
    build(SIZES_FIRST);
    int length = sprintf(figures, "rss_built_kb=%lu", report_rss_kb("VmRSS"));
    for (unsigned long round = 0; round < rounds; round++) {
        drop_half(2 * round);
        unsigned long dropped_kb = report_rss_kb("VmRSS");
        build(round % 2 == 0 ? again : SIZES_FIRST);
        length += sprintf(figures + length, " rss_dropped_%lu_kb=%lu rss_rebuilt_%lu_kb=%lu", round + 1, dropped_kb,
                          round + 1, report_rss_kb("VmRSS"));
    }
    sprintf(figures + length, " rss_rebuilt_kb=%lu live_kb=%lu", report_rss_kb("VmRSS"),
            (unsigned long)(live_bytes + objects * sizeof *table) / 1024);
    report_operations("phases", 1, started, made, checksum, figures);
    return 0;
}
