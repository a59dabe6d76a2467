/* The inline header alone, each of its functions used: it needs nothing before it. */
#include <gleaner_inline.h>

void *inline_alone(gc_cache *cache, gc_layout layout);
void *inline_alone(gc_cache *cache, gc_layout layout)
{
    if (cache == NULL)
        cache = gc_cache_get(24, GC_KIND_TYPED);
    if (cache == NULL)
        return gc_malloc_inline(24);
    return layout == 0 ? gc_cache_malloc(cache) : gc_cache_malloc_typed(cache, 24, layout);
}
