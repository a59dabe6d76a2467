/* gc_realloc of an address inside an object.
 *
 * EXPECT: gleaner: gc_realloc: not the start of an object: <address> lies 16 bytes inside an object of 128 bytes; free what the allocation returned
 * EXIT: SIGABRT
 */
#include <gleaner.h>

int main(void)
{
    char *volatile p = gc_malloc(128);
    p = gc_realloc(p + 16, 256);
    return 0;
}
