/* gc_free of a number that is no address at all.
 *
 * EXPECT: gleaner: gc_free: not a gleaner object: <address>; free it with the allocator it came from
 * EXIT: SIGABRT
 */
#include <gleaner.h>

int main(void)
{
    void *volatile p = (void *)42;
    gc_free(p);
    return 0;
}
