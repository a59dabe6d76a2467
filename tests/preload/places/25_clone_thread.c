/* Row 25: the only pointer is in a register of a thread that no library has made: by clone, with the control block of its
 * maker, on a stack of the program's own.
 * blind: registers,anonymous
 */
#include "preload.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { STACK_BYTES = 1 << 16 };

/* What the thread takes, hidden, and gives back. */
static struct {
    uintptr_t hidden;
    volatile int has_taken, may_end;
} shared;
/* The kernel's id of the thread: zero once it has ended. */
static pid_t thread;

static int holder(void *unused)
{
    __asm__ volatile("mov (%0), %%r12\n"
                     "not %%r12\n"
                     "movq $0, (%0)\n"
                     "movl $1, %1\n"
                     "1: pause\n"
                     "cmpl $0, %2\n"
                     "je 1b\n"
                     "not %%r12\n"
                     "mov %%r12, (%0)\n"
                     "xor %%r12, %%r12\n"
                     : : "r"(&shared.hidden), "m"(shared.has_taken), "m"(shared.may_end) : "r12", "memory");
    (void)unused;
    return 0;
}

static void make(void)
{
    shared.hidden = hide(victim_new());
}

int main(void)
{
    char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(stack != MAP_FAILED);
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID |
                CLONE_CHILD_CLEARTID;
    run(make);
    NEED(clone(holder, stack + STACK_BYTES, flags, NULL, &thread, NULL, &thread) > 0);
    while (!shared.has_taken)
        sched_yield();
    churn();
    shared.may_end = 1;
    for (pid_t id; (id = *(volatile pid_t *)&thread) != 0;)
        syscall(SYS_futex, &thread, FUTEX_WAIT, id, NULL, NULL, 0);
    return judge(reveal(shared.hidden));
}
