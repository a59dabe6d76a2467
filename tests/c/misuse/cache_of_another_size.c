/* gc_cache_malloc_typed with another size than the cache's: the layout would lie elsewhere.
 *
 * EXPECT: gleaner: gc_cache_malloc_typed: not a cache for typed objects of 80 bytes: <address>; pass the size and the cache that gc_cache_get was asked for
 * EXIT: SIGABRT
 */
#include <gleaner_inline.h>

int main(void)
{
    const unsigned long first = 1;
    gc_layout layout = gc_layout_from_bitmap(&first, 1);
    return gc_cache_malloc_typed(gc_cache_get(40, GC_KIND_TYPED), 80, layout) == NULL;
}
