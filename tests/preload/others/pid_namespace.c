/* A process in a namespace of processes whose /proc is another's: the threads there are listed under other ids. The only
 * pointer is in a register of a thread that nobody has announced: it was made by the C library's own function.
 * needs: unshare --pid --fork true
 * says: a collection was given up
 */
#include "preload.h"

#include <dlfcn.h>
#include <sched.h>
#include <sys/wait.h>
#include <threads.h>

static struct {
    uintptr_t hidden;
    volatile int has_taken, may_end;
} shared;

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
    return unused != NULL;
}

static void make(void)
{
    shared.hidden = hide(victim_new());
}

int main(void)
{
    NEED(unshare(CLONE_NEWPID) == 0);
    pid_t process = fork();
    NEED(process >= 0);
    if (process == 0) {
        thrd_t thread;
        void *library = dlopen("libc.so.6", RTLD_LAZY);
        int (*create)(thrd_t *, thrd_start_t, void *);
        NEED(library != NULL && (*(void **)&create = dlsym(library, "thrd_create")) != NULL);
        run(make);
        NEED(create(&thread, holder, NULL) == thrd_success);
        while (!shared.has_taken)
            thrd_yield();
        churn();
        shared.may_end = 1;
        thrd_join(thread, NULL);
        int result = judge(reveal(shared.hidden));
        fflush(stdout);
        _exit(result);
    }
    int status;
    NEED(waitpid(process, &status, 0) == process && status == 0);
    return 0;
}
