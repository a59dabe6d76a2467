/* free of one object twice with thousands of others between, which flush the thread's cache: its slot is in the heap by
 * then, and the second free is noticed when that is flushed as well.
 *
 * DOOR: gleaner_malloc
 * EXPECT: gleaner: free: freed twice: <address>, an object of 80 bytes; remove one of the two calls
 * EXIT: SIGABRT
 */
#include <stdlib.h>

enum { OTHERS = 10000 };

int main(void)
{
    void *others[OTHERS];
    void *volatile p = malloc(64);
    int i, round;
    for (i = 0; i < OTHERS; i++)
        others[i] = malloc(64);
    free(p);
    for (i = 0; i < OTHERS; i++)
        free(others[i]);
    free(p);
    for (round = 0; round < 10; round++) {
        for (i = 0; i < OTHERS; i++)
            others[i] = malloc(64);
        for (i = 0; i < OTHERS; i++)
            free(others[i]);
    }
    return 0;
}
