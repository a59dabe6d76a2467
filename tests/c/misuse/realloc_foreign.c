/* gc_realloc of an address on the stack.
 *
 * EXPECT: gleaner: gc_realloc: not a gleaner object: <address>; free it with the allocator it came from
 * EXIT: SIGABRT
 */
#include <gleaner.h>

int main(void)
{
    char on_stack[64];
    char *volatile p = on_stack;
    p = gc_realloc(p, 256);
    return 0;
}
