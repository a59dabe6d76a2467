/* What compilers make of gleaner_inline.h: tests/fast_paths disassembles these functions and judges the order of their
 * accesses. */
#include <gleaner_inline.h>

struct pair {
    void *first, *second;
};

void *cache_malloc(gc_cache *cache)
{
    return gc_cache_malloc(cache);
}

void *cache_malloc_typed(gc_cache *cache, gc_layout layout)
{
    return gc_cache_malloc_typed(cache, 40, layout);
}

void *malloc_inline(void)
{
    return gc_malloc_inline(40);
}

/* What is written into the object must not come before the object is ours. */
struct pair *cons(gc_cache *cache, void *first, void *second)
{
    struct pair *pair = gc_cache_malloc(cache);
    pair->first = first;
    pair->second = second;
    return pair;
}

struct pair *cons_inline(void *first, void *second)
{
    struct pair *pair = gc_malloc_inline(sizeof *pair);
    pair->first = first;
    pair->second = second;
    return pair;
}

struct pair *list(gc_cache *cache, unsigned long length)
{
    struct pair *head = NULL;
    do {
        struct pair *pair = gc_cache_malloc(cache);
        pair->second = head;
        head = pair;
    } while (--length != 0);
    return head;
}
