/* gc_free of one object twice, one after the other.
 *
 * EXPECT: gleaner: gc_free: freed twice: <address>, an object of 64 bytes; remove one of the two calls
 * EXIT: SIGABRT
 */
#include <gleaner.h>

int main(void)
{
    void *volatile p = gc_malloc(64);
    gc_free(p);
    gc_free(p);
    return 0;
}
