/* libgleaner_malloc.so preloaded: addresses of malloc's objects may lie where gc.h was told that there are none, since
 * bdwgc never frees such objects. */
#define GC_THREADS
#include "../c/check.h"
#include <gc_typed.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 500, WAYS = 8, BYTES = 40, LARGE_BYTES = 1 << 20 };

static void **kept[WAYS];
static int procedure, kind_without, kind_of_procedure;

static struct GC_ms_entry *mark_nothing(GC_word *object, struct GC_ms_entry *stack, struct GC_ms_entry *limit, GC_word environment) {
    (void)object, (void)limit, (void)environment;
    return stack;
}

static void *holder(int way) {
    GC_word map = 1;
    switch (way) {
    case 0:
        return GC_malloc_atomic(BYTES);
    case 1:
        return GC_malloc_atomic_uncollectable(BYTES);
    case 2:
        return GC_malloc_explicitly_typed(BYTES, GC_make_descriptor(&map, 1));
    case 3:
        return GC_generic_malloc(BYTES, kind_without);
    case 4:
        return GC_generic_malloc(BYTES, kind_of_procedure);
    case 5:
        return GC_malloc_explicitly_typed(BYTES, 0);
    case 6:
        return GC_malloc_atomic_ignore_off_page(BYTES);
    default:
        return GC_debug_malloc_atomic(BYTES, "here", 1);
    }
}

static __attribute__((noinline)) void fill(int way) {
    kept[way] = GC_malloc(MANY * sizeof *kept[way]);
    for (int i = 0; i < MANY; i++) {
        char **object = kept[way][i] = holder(way);
        object[2] = malloc(BYTES);
        sprintf(object[2], "%d, %d", way, i);
    }
}

static char **large;

static __attribute__((noinline)) void fill_large(void) {
    large = GC_malloc_atomic(LARGE_BYTES);
    memset(large, 0, LARGE_BYTES);
    for (size_t i = 0; i < LARGE_BYTES / sizeof *large; i += 512)
        sprintf(large[i] = malloc(BYTES), "large %d", (int)i);
}

/* A link in an object without pointers is as weak as ever, and who has a finalizer does not hold itself. */
static void **links;
static int finalized;

static void finalize(void *object, void *data) {
    (void)data;
    free(((void **)object)[0]);
    finalized++;
}

static __attribute__((noinline)) void fill_links(void) {
    links = GC_malloc_atomic(MANY * sizeof *links);
    memset(links, 0, MANY * sizeof *links);
    for (int i = 0; i < MANY; i++) {
        void *object = GC_malloc(BYTES);
        links[i] = object;
        CHECK(GC_general_register_disappearing_link(&links[i], object) == GC_SUCCESS, "a link");
        void ***pair = i % 2 ? GC_malloc(BYTES) : GC_malloc_atomic(BYTES);
        pair[0] = malloc(BYTES);
        pair[0][0] = pair;
        GC_register_finalizer(pair, finalize, NULL, NULL, NULL);
    }
}

int main(void) {
    GC_INIT();
    procedure = (int)GC_new_proc(mark_nothing);
    kind_without = (int)GC_new_kind(GC_new_free_list(), 0, 0, 1);
    kind_of_procedure = (int)GC_new_kind(GC_new_free_list(), GC_MAKE_PROC((unsigned)procedure, 0), 0, 1);
    for (int way = 0; way < WAYS; way++)
        fill(way);
    fill_large();
    fill_links();
    wipe_stack();
    for (int i = 0; i < 4; i++)
        GC_gcollect();
    for (int i = 0; i < 20 * MANY; i++) {
        char *other = malloc(BYTES);
        memset(other, 'x', BYTES);
        GC_noop1((GC_word)other);
    }
    char text[BYTES];
    for (int way = 0; way < WAYS; way++)
        for (int i = 0; i < MANY; i++) {
            sprintf(text, "%d, %d", way, i);
            CHECK(strcmp(((char **)kept[way][i])[2], text) == 0, "way %d, object %d", way, i);
        }
    for (size_t i = 0; i < LARGE_BYTES / sizeof *large; i += 512) {
        sprintf(text, "large %d", (int)i);
        CHECK(strcmp(large[i], text) == 0, "large, word %zu", i);
    }
    int linked = 0;
    for (int i = 0; i < MANY; i++)
        linked += links[i] != NULL;
    CHECK(linked < MANY / 10, "%d links are left", linked);
    CHECK(finalized > MANY - MANY / 10, "%d of %d are finalized", finalized, MANY);
    return 0;
}
