/* gc_free of one object twice with thousands of others between, which flush the thread's cache: its slot is in the heap by
 * then, and the second free is noticed when that is flushed as well.
 *
 * EXPECT: gleaner: gc_free: freed twice: <address>, an object of 64 bytes; remove one of the two calls
 * EXIT: SIGABRT
 */
#include <gleaner.h>

enum { OTHERS = 10000 };

int main(void)
{
    void *others[OTHERS];
    void *volatile p = gc_malloc(64);
    int i, round;
    for (i = 0; i < OTHERS; i++)
        others[i] = gc_malloc(64);
    gc_free(p);
    for (i = 0; i < OTHERS; i++)
        gc_free(others[i]);
    gc_free(p);
    for (round = 0; round < 10; round++) {
        for (i = 0; i < OTHERS; i++)
            others[i] = gc_malloc(64);
        for (i = 0; i < OTHERS; i++)
            gc_free(others[i]);
    }
    return 0;
}
