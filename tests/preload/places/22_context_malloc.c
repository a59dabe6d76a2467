/* Row 22: the only pointer is on the stack of a coroutine, which is an object; the context is one, too.
 * blind: files
 */
#include "coroutine.h"

static void put(void)
{
    void *stack = malloc(STACK_BYTES);
    NEED(stack != NULL);
    begin_on(stack);
}

int main(void)
{
    return churn_beside_coroutine(put);
}
