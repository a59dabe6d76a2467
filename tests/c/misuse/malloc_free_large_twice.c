/* free of one large object twice.
 *
 * DOOR: gleaner_malloc
 * EXPECT: gleaner: free: not an object: <address> lies in free memory of the heap; it was freed before, or never handed out
 * EXIT: SIGABRT
 */
#include <stdlib.h>

int main(void)
{
    void *volatile p = malloc(3 << 20);
    free(p);
    free(p);
    return 0;
}
