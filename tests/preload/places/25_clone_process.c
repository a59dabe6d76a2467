/* Row 25: the only pointer is in a register of a process that lives in this memory and is no thread of it: one made by
 * clone with CLONE_VM alone, as sandboxes and tracers make them.
 * blind: sharers
 */
#include "preload.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { STACK_BYTES = 1 << 16 };

/* What the child takes, hidden, and gives back. */
static struct {
    uintptr_t hidden;
    volatile int has_taken, may_end;
} shared;

/* Holds the pointer in a register until it may end. It has no thread-local storage of its own, so it calls nothing. */
static int child(void *unused)
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
    run(make);
    pid_t process = clone(child, stack + STACK_BYTES, CLONE_VM | SIGCHLD, NULL);
    NEED(process > 0);
    while (!shared.has_taken)
        sched_yield();
    churn();
    shared.may_end = 1;
    int status;
    NEED(waitpid(process, &status, 0) == process && status == 0);
    return judge(reveal(shared.hidden));
}
