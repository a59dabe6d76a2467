/* Finalizers run in allocations of the program's, never in one that the C library makes for itself: it may hold locks, and
 * what is called may leave. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include "family.h"
#include "gleaner.h"

enum { ROUNDS = 20000, TEXT_BYTES = 50000 };

static int is_within_c_library, run_count, misplaced_count;

static void finalize(void *object, void *data)
{
    (void)object;
    (void)data;
    run_count++;
    misplaced_count += is_within_c_library;
}

static void make_garbage(void)
{
    CHECK(gc_finalizer_set(malloc(32), finalize, NULL, GC_FINALIZER_ORDERED) == 0, "a finalizer");
}

/* It leaves some of it to the collector. */
static void allocate_within_c_library(const char *text, FILE *file, int round)
{
    static char *line;
    static size_t size;
    char *copy;
    is_within_c_library = 1;
    copy = strdup(text);
    free(line);
    line = NULL;
    size = 0;
    rewind(file);
    CHECK(getline(&line, &size, file) == TEXT_BYTES - 1, "a line");
    is_within_c_library = 0;
    if (round % 8 != 0)
        free(copy);
}

int main(void)
{
    static char text[TEXT_BYTES];
    FILE *file = tmpfile();
    int i;
    CHECK(file != NULL, "a file");
    memset(text, 'x', sizeof text - 1);
    CHECK(fwrite(text, 1, sizeof text - 1, file) == sizeof text - 1, "writing");
    for (i = 0; i < ROUNDS; i++) {
        make_garbage();
        allocate_within_c_library(text, file, i);
    }
    CHECK(misplaced_count == 0, "%d of %d finalizers ran within the C library", misplaced_count, run_count);
    CHECK(run_count > ROUNDS / 2, "%d of %d finalizers ran", run_count, ROUNDS);
    return 0;
}
