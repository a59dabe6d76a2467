/* free of one object twice, one after the other.
 *
 * DOOR: gleaner_malloc
 * EXPECT: gleaner: free: freed twice: <address>, an object of 80 bytes; remove one of the two calls
 * EXIT: SIGABRT
 */
#include <stdlib.h>

int main(void)
{
    void *volatile p = malloc(64);
    free(p);
    free(p);
    return 0;
}
