/* realloc of an address inside an object.
 *
 * DOOR: gleaner_malloc
 * EXPECT: gleaner: realloc: not the start of an object: <address> lies 16 bytes inside an object of 112 bytes; free what the allocation returned
 * EXIT: SIGABRT
 */
#include <stdlib.h>

int main(void)
{
    char *volatile p = malloc(100);
    p = realloc(p + 16, 200);
    return 0;
}
