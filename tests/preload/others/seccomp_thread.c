/* A thread that brings a filter of system calls for itself, by the call's number: any but those about memory ends the
 * process. Another thread goes on allocating, and would collect.
 * says: a filter of system calls would end the process
 */
#include "filter.h"

#include <pthread.h>

static void *sealed(void *unused)
{
    struct sock_fprog filter = filter_of_memory();
    NEED(allocates());
    NEED(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0);
    const char *result = allocates() ? "whole\n" : "broken\n";
    _exit(write(1, result, strlen(result)) < 0);
    return unused;
}

int main(void)
{
    pthread_t thread;
    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    NEED((errno = pthread_create(&thread, NULL, sealed, NULL)) == 0);
    for (;;) {
        void *volatile lost = malloc(1000);
        (void)lost;
        malloc_trim(0);
    }
}
