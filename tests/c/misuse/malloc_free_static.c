/* free of static data: it may be of glibc's allocator as far as we know, which says in its own words that it is not.
 *
 * DOOR: gleaner_malloc
 * EXPECT: free(): invalid pointer
 * EXIT: SIGABRT
 */
#include <stdlib.h>

int main(void)
{
    static char data[64] __attribute__((__aligned__(16)));
    void *volatile p = data + 32;
    free(p);
    return 0;
}
