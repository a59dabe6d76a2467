/* Row 12: the only pointer is on a thread's stack, which the program has put into shared memory.
 * blind: frames,registers
 */
#include "stack_thread.h"

int main(void)
{
    return churn_beside_thread_on(mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}
