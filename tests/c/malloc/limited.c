/* With option limit=32M: garbage never reaches it, live data ends in NULL and ENOMEM after few collections, and all can be
 * given back. */
#include <malloc.h>
#include "family.h"

enum { LIMIT = 32 << 20 };

static void garbage(void)
{
    int i;
    for (i = 0; i < 1000000; i++)
        CHECK(malloc(100) != NULL, "garbage %d found no memory", i);
}

int main(void)
{
    void **list = NULL, **p;
    unsigned long before;
    size_t bytes = 0;
    CHECK(stats().bytes_limit == LIMIT, "the limit is %lu", (unsigned long)stats().bytes_limit);
    run(garbage);
    for (;;) {
        before = gc_collections();
        errno = 0;
        p = malloc(1000);
        if (p == NULL)
            break;
        *p = list;
        list = p;
        bytes += 1000;
    }
    CHECK(errno == ENOMEM && gc_collections() - before <= 10, "errno %d after %lu collections", errno,
          gc_collections() - before);
    CHECK(bytes > LIMIT / 2 && bytes <= LIMIT, "%zu bytes in a heap of %d", bytes, LIMIT);
    CHECK_REFUSED(ENOMEM, calloc(1000, 1000));
    CHECK_REFUSED(ENOMEM, realloc(list, 1000000));
    CHECK_REFUSED(ENOMEM, aligned_alloc(4096, 1000000));
    while ((p = list) != NULL) {
        list = *p;
        free(p);
    }
    CHECK(malloc(LIMIT / 2) != NULL, "no memory after all was given back");
    return 0;
}
