/* Row 25: the only pointer is in a register of a thread that no library has made: by clone, with the control block of its
 * maker, on a stack of the program's own.
 * blind: registers,anonymous
 */
#include "holder.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { STACK_BYTES = 1 << 16 };

/* The kernel's id of the thread: zero once it has ended. */
static pid_t thread;

int main(void)
{
    char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(stack != MAP_FAILED);
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID |
                CLONE_CHILD_CLEARTID;
    run(make_hidden);
    NEED(clone(holder, stack + STACK_BYTES, flags, NULL, &thread, NULL, &thread) > 0);
    churn_beside_holder();
    for (pid_t id; (id = *(volatile pid_t *)&thread) != 0;)
        syscall(SYS_futex, &thread, FUTEX_WAIT, id, NULL, NULL, 0);
    return judge(reveal(shared.hidden));
}
