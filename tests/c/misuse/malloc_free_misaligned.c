/* free of an address outside the heap at which no object can start.
 *
 * DOOR: gleaner_malloc
 * EXPECT: gleaner: free: not a gleaner object: <address>; free it with the allocator it came from
 * EXIT: SIGABRT
 */
#include <stdlib.h>

int main(void)
{
    static char data[64];
    char *volatile p = data;
    free(p + 1 + ((size_t)p & 1));
    return 0;
}
