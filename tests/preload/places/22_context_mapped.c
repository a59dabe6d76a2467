/* Row 22: the only pointer is on the stack of a coroutine, which is mapped memory.
 * blind: anonymous
 */
#include "coroutine.h"

#include <sys/mman.h>

static void put(void)
{
    void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(stack != MAP_FAILED);
    begin_on(stack);
}

int main(void)
{
    return churn_beside_coroutine(put);
}
