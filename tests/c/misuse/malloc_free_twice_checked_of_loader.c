/* free of one object twice with others between, with option free=checked, of a size that the loader has allocated before the
 * options were read: caught by the second call.
 *
 * DOOR: gleaner_malloc
 * OPTIONS: free=checked
 * EXPECT: gleaner: free: freed twice: <address>, an object of 32 bytes; remove one of the two calls
 * EXIT: SIGABRT
 */
#include <stdlib.h>

int main(void)
{
    void *others[100];
    void *volatile p = malloc(24);
    int i;
    for (i = 0; i < 100; i++)
        others[i] = malloc(24);
    free(p);
    for (i = 0; i < 100; i++)
        free(others[i]);
    free(p);
    return 0;
}
