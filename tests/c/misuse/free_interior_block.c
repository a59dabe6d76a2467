/* gc_free of an address inside an object that shares a block of several units.
 *
 * EXPECT: gleaner: gc_free: not the start of an object: <address> lies 12345 bytes inside an object of 81920 bytes; free what the allocation returned
 * EXIT: SIGABRT
 */
#include <gleaner.h>

int main(void)
{
    char *volatile p = gc_malloc(65536);
    gc_free(p + 12345);
    return 0;
}
