/* gc_free of an address inside an object, not aligned.
 *
 * EXPECT: gleaner: gc_free: not the start of an object: <address> lies 33 bytes inside an object of 48 bytes; free what the allocation returned
 * EXIT: SIGABRT
 */
#include <gleaner.h>

int main(void)
{
    char *volatile p = gc_malloc(48);
    gc_free(p + 33);
    return 0;
}
