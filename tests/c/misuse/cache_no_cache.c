/* gc_cache_malloc from what is no cache of gc_cache_get's.
 *
 * EXPECT: gleaner: gc_cache_malloc: not a cache: <address>; ask gc_cache_get on each thread that allocates
 * EXIT: SIGABRT
 */
#include <gleaner_inline.h>

int main(void)
{
    static gc_cache empty;
    return gc_cache_malloc(&empty) == NULL;
}
