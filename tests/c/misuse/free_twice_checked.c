/* gc_free of one object twice with many others between, with option free=checked: caught by the second call.
 *
 * EXPECT: gleaner: gc_free: freed twice: <address>, an object of 64 bytes; remove one of the two calls
 * EXIT: SIGABRT
 */
#include <gleaner.h>

enum { OTHERS = 100 };

int main(void)
{
    void *others[OTHERS];
    void *volatile p;
    int i;
    if (gc_option_set("free", "checked") != 0)
        return 1;
    p = gc_malloc(64);
    for (i = 0; i < OTHERS; i++)
        others[i] = gc_malloc(64);
    gc_free(p);
    for (i = 0; i < OTHERS; i++)
        gc_free(others[i]);
    gc_free(p);
    return 0;
}
