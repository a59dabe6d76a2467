/* free of an address where nothing is mapped.
 *
 * DOOR: gleaner_malloc
 * EXPECT: gleaner: free: not a gleaner object: <address>; free it with the allocator it came from
 * EXIT: SIGABRT
 */
#include <stdlib.h>

int main(void)
{
    void *volatile p = (void *)0x123456789000;
    free(p);
    return 0;
}
