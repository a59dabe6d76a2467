/* A program that is started under a filter of system calls, as in a container: one that lets a collection pass.
 * options: trace=1
 * says: gleaner: gc=1
 */
#include "filter.h"

int main(int count, char **arguments)
{
    if (count > 1) {
        puts(allocates() ? "whole" : "broken");
        return 0;
    }
    static const int calls[] = {SYS_reboot, SYS_process_vm_writev};
    struct sock_fprog filter = filter_of(calls, sizeof calls / sizeof calls[0], SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW);
    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
    execl("/proc/self/exe", arguments[0], "filtered", (char *)NULL);
    GIVE_UP("execl");
}
