/* A program that is started under a filter of system calls, which ends it at calls that only a collector makes.
 * says: a filter of system calls would end the process
 */
#include "filter.h"

int main(int count, char **arguments)
{
    if (count > 1) {
        puts(allocates() ? "whole" : "broken");
        return 0;
    }
    static const int calls[] = {SYS_membarrier, SYS_tgkill, SYS_getdents64, SYS_process_vm_readv, SYS_sched_getaffinity};
    struct sock_fprog filter =
        filter_of(calls, sizeof calls / sizeof calls[0], SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW);
    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    /* Past whoever watches prctl: the program after this one is to find out by itself. */
    register long fifth __asm__("r8") = 0, fourth __asm__("r10") = 0;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_prctl), "D"(PR_SET_SECCOMP), "S"(SECCOMP_MODE_FILTER), "d"(&filter), "r"(fourth), "r"(fifth)
                     : "rcx", "r11", "memory");
    NEED(result == 0);
    execl("/proc/self/exe", arguments[0], "filtered", (char *)NULL);
    GIVE_UP("execl");
}
