/* gc_free of an address inside an object.
 *
 * EXPECT: gleaner: gc_free: not the start of an object: <address> lies 8 bytes inside an object of 64 bytes; free what the allocation returned
 * EXIT: SIGABRT
 */
#include <gleaner.h>

int main(void)
{
    char *volatile p = gc_malloc(64);
    gc_free(p + 8);
    return 0;
}
