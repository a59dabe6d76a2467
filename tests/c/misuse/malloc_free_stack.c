/* free of an array on the stack.
 *
 * DOOR: gleaner_malloc
 * EXPECT: gleaner: free: not a gleaner object: <address>; free it with the allocator it came from
 * EXIT: SIGABRT
 */
#include <stdlib.h>

int main(void)
{
    char on_stack[64] __attribute__((__aligned__(16)));
    void *volatile p = on_stack;
    free(p);
    return 0;
}
