/* gc_free of one large object twice.
 *
 * EXPECT: gleaner: gc_free: not an object: <address> lies in free memory of the heap; it was freed before, or never handed out
 * EXIT: SIGABRT
 */
#include <gleaner.h>

int main(void)
{
    void *volatile p = gc_malloc(3 << 20);
    gc_free(p);
    gc_free(p);
    return 0;
}
