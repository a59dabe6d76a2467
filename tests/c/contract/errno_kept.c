/* No function changes errno when it succeeds, not even when it collects. */
#include "check.h"

#define KEEPS(call)                                                      \
    do {                                                                 \
        errno = 4711;                                                    \
        call;                                                            \
        CHECK(errno == 4711, "%s left errno %d", #call, errno);          \
    } while (0)

int main(void)
{
    void *p = NULL, *q = NULL;
    gc_weak *cell = NULL;
    gc_stats figures;
    char text[4096];
    int i;

    KEEPS(gc_init());
    KEEPS(p = gc_malloc(100));
    KEEPS(q = gc_malloc_atomic(3 << 20));
    KEEPS(q = gc_realloc(q, 5 << 20));
    KEEPS(gc_free(q));
    KEEPS(q = gc_memalign(1 << 16, 100));
    KEEPS(use(gc_base(p)));
    KEEPS(use(gc_strdup("text")));
    KEEPS(cell = gc_weak_register(p, GC_WEAK_LONG));
    KEEPS(use(gc_weak_get(cell)));
    KEEPS(gc_weak_unregister(cell));
    KEEPS(use(gc_ephemeron_new(p, q)));
    KEEPS(CHECK(gc_pin(p) == 0, "pin"));
    KEEPS(gc_unpin(p));
    KEEPS(CHECK(gc_root_add(text, text + sizeof text) == 0, "root"));
    KEEPS(gc_root_remove(text, text + sizeof text));
    KEEPS(gc_collect());
    KEEPS(gc_release());
    KEEPS((void)gc_stats_json(text, sizeof text));
    figures.size = sizeof figures;
    KEEPS((void)gc_stats_get(&figures));
    errno = 4711;
    for (i = 0; i < 1000000; i++)
        use(gc_malloc(100));
    CHECK(errno == 4711, "an allocation that collected left errno %d", errno);
    return 0;
}
