/* A limit reached by live data ends in NULL and ENOMEM after few collections; garbage never reaches it. */
#include "check.h"

enum { LIMIT = 32 << 20 };

static void **list;

static void garbage(void)
{
    int i;
    for (i = 0; i < 2000000; i++) {
        void *p = gc_malloc(100);
        CHECK(p != NULL, "garbage %d of 2,000,000 found no memory", i);
    }
    for (i = 0; i < 2000; i++) {
        void *p = gc_malloc(1 << 20);
        CHECK(p != NULL, "large garbage %d of 2,000 found no memory", i);
    }
}

static void fill(void)
{
    size_t bytes = 0;
    unsigned long before;
    int i;
    for (;;) {
        void **p;
        before = gc_collections();
        errno = 0;
        p = gc_malloc(1000);
        if (p == NULL)
            break;
        *p = list;
        list = p;
        bytes += 1000;
        CHECK(bytes <= LIMIT, "%zu bytes in a heap limited to %d", bytes, LIMIT);
    }
    CHECK(errno == ENOMEM, "errno is %d", errno);
    CHECK(gc_collections() - before <= 10, "%lu collections for one allocation", gc_collections() - before);
    CHECK(bytes >= LIMIT / 2, "only %zu bytes in a heap limited to %d", bytes, LIMIT);
    CHECK(stats().bytes_heap <= LIMIT, "the heap has %lu bytes", (unsigned long)stats().bytes_heap);
    CHECK(stats().oom_events >= 1, "no failure is counted");

    before = gc_collections();
    for (i = 0; i < 100; i++)
        CHECK(gc_malloc(1000000) == NULL, "1 MB found room in a full heap");
    CHECK(gc_collections() - before <= 10 * 100, "%lu collections for 100 failures", gc_collections() - before);
}

static size_t length(void)
{
    size_t n = 0;
    void **p;
    for (p = list; p != NULL; p = *p)
        n++;
    return n;
}

int main(void)
{
    size_t before;
    gc_heap_limit_set(LIMIT);
    run(garbage);
    run(fill);
    before = length();
    gc_collect();
    CHECK(length() == before && before > 10000, "%zu live objects became %zu", before, length());

    list = NULL;
    clear_stack(16);
    CHECK(gc_malloc(1000000) != NULL, "no memory after everything was dropped");
    gc_heap_limit_set(0);
    CHECK(gc_malloc(2 * (size_t)LIMIT) != NULL, "no memory without a limit");
    return 0;
}
