/* Row 25: the only pointer is in a register of a process that lives in this memory and is no thread of it: one made by
 * clone with CLONE_VM alone, as sandboxes and tracers make them.
 * blind: sharers
 */
#include "holder.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { STACK_BYTES = 1 << 16 };

int main(void)
{
    char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(stack != MAP_FAILED);
    run(make_hidden);
    pid_t process = clone(holder, stack + STACK_BYTES, CLONE_VM | SIGCHLD, NULL);
    NEED(process > 0);
    churn_beside_holder();
    int status;
    NEED(waitpid(process, &status, 0) == process && status == 0);
    return judge(reveal(shared.hidden));
}
