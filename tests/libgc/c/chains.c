/* Chains of objects that the program hands out itself: of exactly the size asked for, zero behind the link, and kept by
 * who marks each of them. */
#include "many.h"

static void *chains[2];

/* The chain keeps what it is made of, where words are searched; where not, a mark procedure does. */
struct holder {
    void *link; /* of a list of free objects, as long as it is one of them: bdwgc runs procedures on these too */
    void *chain;
};

static struct GC_ms_entry *walk(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word env) {
    struct holder *holder = (void *)object;
    (void)env;
    for (void *link = holder->chain; link != NULL; link = *(void **)link)
        top = GC_mark_and_push(link, top, limit, NULL);
    return top;
}

static size_t check(void *chain, size_t bytes, int is_zero) {
    size_t count = 0;
    while (chain != NULL) {
        void **object = chain;
        CHECK(GC_base(object) == object && GC_size(object) >= bytes, "an object of %zu bytes", bytes);
        for (size_t w = 1; is_zero && w < bytes / sizeof(void *); w++)
            CHECK(object[w] == NULL, "word %zu of %zu bytes is not zero", w, bytes);
        memset(object + 1, 0xff, bytes - sizeof(void *));
        chain = *object;
        count++;
    }
    return count;
}

static unsigned kind;

static void fill(void) {
    int count = 0;
    struct holder *holder = chains[0];
    while (count < MANY) {
        void *chain;
        GC_generic_malloc_many(32, 0, &chain);
        void **last = chain;
        while (*last != NULL)
            last = *last;
        /* Held before anything else is asked of the collector: nothing else holds what follows the first. */
        *last = holder->chain;
        holder->chain = chain;
        for (void **object = chain, **end = *last; object != end && count < MANY; object = *object)
            watch(count++, object);
    }
}

int main(void) {
    const char *options = getenv("GLEANER_OPTIONS");
    int is_zealous = options != NULL && strstr(options, "zeal") != NULL;
    GC_INIT();
    for (size_t bytes = 16; bytes <= 8192; bytes = bytes * 2) {
        for (int k = 0; k <= 1; k++) {
            size_t count = 0, calls;
            for (calls = 0; calls < 300; calls++) {
                void *chain = (void *)1;
                GC_generic_malloc_many(bytes, k, &chain);
                CHECK(chain != NULL && chain != (void *)1, "a chain");
                count += check(chain, bytes, k == 1);
            }
            /* Where the options take every slot by itself, there are no chains. */
            CHECK(bytes > 512 || is_zealous || count > 3 * calls, "%zu objects of %zu bytes in %zu calls", count, bytes, calls);
        }
    }
    CHECK(check(GC_malloc_many(100), 101, 1) >= 1, "with the byte behind the end");
    kind = GC_new_kind(GC_new_free_list(), GC_MAKE_PROC(GC_new_proc(walk), 0), 0, 1);
    chains[0] = GC_malloc_kind(sizeof(struct holder), kind);
    elsewhere(fill);
    CHECK(living() == MANY, "objects without pointers, each of which was reported");
    ((struct holder *)chains[0])->chain = NULL;
    CHECK(living() <= FEW, "and then not");
    return 0;
}
