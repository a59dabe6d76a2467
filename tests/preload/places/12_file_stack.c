/* Row 12: the only pointer is on a thread's stack, which the program has put into a file.
 * blind: frames,registers
 */
#include "stack_thread.h"

int main(void)
{
    char name[] = "./preload-XXXXXX";
    int file = mkstemp(name);
    NEED(file >= 0 && unlink(name) == 0 && ftruncate(file, STACK_BYTES) == 0);
    return churn_beside_thread_on(mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
}
