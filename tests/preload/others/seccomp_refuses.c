/* A program that is started under a filter of system calls which refuses some that a collector makes: with an error, as
 * those of man and of services do. It is collected all the same, and what has to be copied to be read is found: an object
 * whose only pointer is in a shared mapping. Memory of the C library's own is told from what is none.
 * options: trace=1
 * says: gleaner: gc=1
 */
#include "filter.h"

#include <sys/mman.h>

extern void *__libc_malloc(size_t bytes);

static struct victim **place;

static void put(void)
{
    place[1] = victim_new();
}

int main(int count, char **arguments)
{
    if (count > 1) {
        place = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        NEED(place != MAP_FAILED);
        run(put);
        churn();
        free(__libc_malloc(100));
        return judge(place[1]);
    }
    static const int calls[] = {SYS_process_vm_readv, SYS_kcmp, SYS_membarrier, SYS_sched_getaffinity, SYS_userfaultfd};
    struct sock_fprog filter =
        filter_of(calls, sizeof calls / sizeof calls[0], SECCOMP_RET_ERRNO | ENOSYS, SECCOMP_RET_ALLOW);
    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
    execl("/proc/self/exe", arguments[0], "filtered", (char *)NULL);
    GIVE_UP("execl");
}
