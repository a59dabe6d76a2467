/* A mark procedure clears a word that leads to an object and has been read as a root by then. */
#include "check.h"
#include <gc_mark.h>

enum { CLEARED = 100 };

static void *table[CLEARED];
static int has_cleared;

static struct GC_ms_entry *clear(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word unused) {
    (void)limit;
    (void)unused;
    /* Objects on free lists have zeroes. */
    if (object[1] != 0)
        for (int i = 0; i < CLEARED; i++) {
            has_cleared |= table[i] != NULL;
            table[i] = NULL;
        }
    return top;
}

int main(void) {
    static GC_word *volatile object;
    unsigned kind;
    GC_INIT();
    kind = GC_new_kind(GC_new_free_list(), GC_MAKE_PROC(GC_new_proc(clear), 0), 0, 1);
    object = GC_generic_malloc(16, (int)kind);
    object[1] = 1;
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < CLEARED; i++)
            table[i] = GC_malloc(100);
        GC_gcollect();
    }
    CHECK(has_cleared, "the procedure has run");
    return 0;
}
