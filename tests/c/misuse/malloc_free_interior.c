/* free of an address inside an object.
 *
 * DOOR: gleaner_malloc
 * EXPECT: gleaner: free: not the start of an object: <address> lies 16 bytes inside an object of 112 bytes; free what the allocation returned
 * EXIT: SIGABRT
 */
#include <stdlib.h>

int main(void)
{
    char *volatile p = malloc(100);
    free(p + 16);
    return 0;
}
