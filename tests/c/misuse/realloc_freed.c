/* gc_realloc of an object that was freed: it cannot move.
 *
 * EXPECT: gleaner: gc_realloc: freed twice: <address>, an object of 112 bytes; remove one of the two calls
 * EXIT: SIGABRT
 */
#include <gleaner.h>

int main(void)
{
    void *volatile p = gc_malloc(100);
    gc_free(p);
    p = gc_realloc(p, 1000);
    return 0;
}
