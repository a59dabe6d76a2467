/* gc_weak_unregister of one cell twice.
 *
 * EXPECT: gleaner: gc_weak_unregister: not a weak cell in use: <address>; pass what gc_weak_register returned, once
 * EXIT: SIGABRT
 */
#include <gleaner.h>

int main(void)
{
    gc_weak *volatile cell = gc_weak_register(gc_malloc(16), GC_WEAK_SHORT);
    gc_weak_unregister(cell);
    gc_weak_unregister(cell);
    return 0;
}
