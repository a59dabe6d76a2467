/* GC_find_leak: what is unreachable and not freed is named, with the line that allocated it where that is known. */
#include "check.h"
#include <fcntl.h>
#include <unistd.h>

static void *volatile object;

__attribute__((noinline)) static void make(void) {
    GC_noop1((GC_word)GC_debug_malloc(40, "a_file", 17));
    GC_noop1((GC_word)GC_malloc_atomic(5000));
    object = GC_malloc(50);
    GC_free(object);
    object = GC_malloc(60);
    GC_noop1((GC_word)GC_malloc_uncollectable(60));
}

int main(void) {
    static char text[4096];
    int ends[2], before;
    GC_set_find_leak(1);
    GC_INIT();
    CHECK(pipe(ends) == 0, "a pipe");
    /* The first object's address is that of the heap, which is found in more places than are looked at here. */
    object = GC_malloc_uncollectable(LARGE);
    object = GC_debug_malloc_uncollectable(40, "another_file", 1);
    make();
    wipe_stack();
    before = dup(2);
    dup2(ends[1], 2);
    GC_gcollect();
    fflush(stderr);
    dup2(before, 2);
    CHECK(read(ends[0], text, sizeof text - 1) > 0, "nothing was said");
    CHECK(strstr(text, "Found 2 leaked objects:\n") != NULL, "two: %s", text);
    CHECK(strstr(text, " (a_file:17, sz= 40, NORMAL)\n") != NULL, "with a line: %s", text);
    CHECK(strstr(text, "object at ") != NULL && strstr(text, " (atomic)\n") != NULL, "without: %s", text);
    GC_free(object);
    return 0;
}
