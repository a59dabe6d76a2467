/* gc_free of an address on the stack.
 *
 * EXPECT: gleaner: gc_free: not a gleaner object: <address>; free it with the allocator it came from
 * EXIT: SIGABRT
 */
#include <gleaner.h>

int main(void)
{
    char on_stack[64];
    char *volatile p = on_stack;
    gc_free(p);
    return 0;
}
