/* Objects whose first word leads to a table with their descriptor. */
#include "many.h"

struct table {
    void *unused;
    GC_word descriptor;
};

static struct table tables[3];
static struct table *of;
static size_t word;
static void **parents;

static struct GC_ms_entry *mark(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word env) {
    (void)env;
    if (object[0] == 0)
        return top;
    return GC_MARK_AND_PUSH((void *)object[4], top, limit, (void **)&object[4]);
}

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        void **parent = GC_GCJ_MALLOC(48, of), *child = GC_malloc(40);
        CHECK(parent[0] == of && parent[word] == NULL, "a new object has its table, and else is zero");
        parent[word] = child;
        watch(i, child);
        parents[i] = parent;
    }
}

/* As `mark`, for an object that may have a header: then `env` is 1. */
static struct GC_ms_entry *mark_either(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word env) {
    return mark(env == 1 ? (GC_word *)GC_USR_PTR_FROM_BASE(object) : object, top, limit, env);
}

/* Objects that say where they were made. */
static void make_with_header(void) {
    for (int i = 0; i < MANY; i++) {
        void **parent = GC_debug_gcj_malloc(48, of, "here", 7), *child = GC_malloc(40);
        CHECK(parent[0] == of && parent[word] == NULL, "a new object has its table, and else is zero");
        CHECK(GC_base(parent) == (char *)parent - GC_get_debug_header_size(), "a header before it");
        parent[word] = child;
        watch(i, child);
        parents[i] = parent;
    }
}

static int kept_with_header(size_t w) {
    of = &tables[2], word = w;
    forget_all();
    elsewhere(make_with_header);
    return living();
}

static int kept(struct table *table, size_t w) {
    of = table, word = w;
    forget_all();
    elsewhere(make);
    return living();
}

int main(void) {
    GC_INIT();
    parents = GC_malloc_uncollectable(MANY * sizeof(void *));
    GC_init_gcj_malloc(5, (void *)mark_either);
    CHECK(GC_gcj_kind != 0 && GC_gcj_debug_kind != 0 && GC_gcj_kind != GC_gcj_debug_kind, "kinds");
    tables[0].descriptor = 3 * sizeof(void *) | GC_DS_LENGTH;
    tables[1].descriptor = (GC_word)1 << 60 | GC_DS_BITMAP;
    tables[2].descriptor = GC_MAKE_PROC(5, 0);
    CHECK(kept(&tables[0], 2) == MANY && kept(&tables[0], 3) <= FEW, "a length");
    CHECK(kept(&tables[1], 3) == MANY && kept(&tables[1], 2) <= FEW, "a bitmap");
    CHECK(kept(&tables[2], 4) == MANY && kept(&tables[2], 3) <= FEW, "the procedure");
    CHECK(kept_with_header(4) == MANY && kept_with_header(3) <= FEW, "the procedure, behind a header");
    return 0;
}
