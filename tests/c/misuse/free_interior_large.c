/* gc_free of an address far inside a large object.
 *
 * EXPECT: gleaner: gc_free: not the start of an object: <address> lies 1000000 bytes inside an object of 4194304 bytes; free what the allocation returned
 * EXIT: SIGABRT
 */
#include <gleaner.h>

int main(void)
{
    char *volatile p = gc_malloc(4194304);
    gc_free(p + 1000000);
    return 0;
}
