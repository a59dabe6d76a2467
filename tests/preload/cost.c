/* cost.c: how long a collection takes in a process with large mappings of its own.
 *
 *     cost none|untouched|unchanged|changed PLUGIN...
 *
 * Opens the plug-ins, maps 2 GiB that nobody touches, or writes every page once, or also writes to a hundredth of them
 * between collections, and prints the milliseconds of the first collection and the median of those that follow.
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { ROUNDS = 15, PAGE = 4096 };
static const size_t MAPPING_BYTES = (size_t)2 << 30;

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: cost none|untouched|unchanged|changed PLUGIN...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        if (dlopen(argv[i], RTLD_NOW) == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
    }
    char *mapping = NULL;
    if (strcmp(argv[1], "none") != 0) {
        mapping = mmap(NULL, MAPPING_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (mapping == MAP_FAILED) {
            perror("mmap");
            return 1;
        }
    }
    int is_changed = strcmp(argv[1], "changed") == 0;
    if (is_changed || strcmp(argv[1], "unchanged") == 0)
        for (size_t at = 0; at < MAPPING_BYTES; at += PAGE)
            memset(mapping + at, (int)(at / PAGE % 100) + 1, 64);
    double took[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        if (is_changed)
            for (size_t at = 0; at < MAPPING_BYTES; at += 100 * PAGE)
                mapping[at]++;
        double begin = milliseconds();
        malloc_trim(0);
        took[round] = milliseconds() - begin;
    }
    double first = took[0];
    qsort(took + 1, ROUNDS - 1, sizeof *took, ascending);
    printf("%.2f %.2f\n", first, took[1 + (ROUNDS - 1) / 2]);
    return 0;
}
