/* gc_cache_malloc from a cache for objects with a layout: they would have none.
 *
 * EXPECT: gleaner: gc_cache_malloc: a cache of typed objects: <address>; allocate from it with gc_cache_malloc_typed
 * EXIT: SIGABRT
 */
#include <gleaner_inline.h>

int main(void)
{
    return gc_cache_malloc(gc_cache_get(40, GC_KIND_TYPED)) == NULL;
}
