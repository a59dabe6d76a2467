/* gc_cache_malloc from a cache that another thread asked for, where every allocation takes the slow path.
 *
 * OPTIONS: zeal=1000
 * EXPECT: gleaner: gc_cache_malloc: another thread's cache, or one that has ended: <address>; ask gc_cache_get on each thread that allocates
 * EXIT: SIGABRT
 */
#include <gleaner_inline.h>
#include <pthread.h>

static void *allocate(void *cache)
{
    return gc_cache_malloc((gc_cache *)cache);
}

int main(void)
{
    pthread_t thread;
    gc_cache *cache = gc_cache_get(48, GC_KIND_SCANNED);
    if (gc_cache_malloc(cache) == NULL || pthread_create(&thread, NULL, allocate, cache) != 0)
        return 2;
    pthread_join(thread, NULL);
    return 0;
}
