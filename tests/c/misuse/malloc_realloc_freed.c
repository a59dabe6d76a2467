/* realloc of an object that was freed: it cannot move.
 *
 * DOOR: gleaner_malloc
 * EXPECT: gleaner: realloc: freed twice: <address>, an object of 112 bytes; remove one of the two calls
 * EXIT: SIGABRT
 */
#include <stdlib.h>

int main(void)
{
    void *volatile p = malloc(100);
    free(p);
    p = realloc(p, 1000);
    return 0;
}
