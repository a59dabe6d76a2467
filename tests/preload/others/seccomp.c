/* A program that brings a filter of system calls: any call but those about memory ends it. It frees what is the C
 * library's own, too.
 * says: a filter of system calls would end the process
 */
#include "filter.h"

extern void *__libc_malloc(size_t bytes);

int main(void)
{
    struct sock_fprog filter = filter_of_memory();
    void *foreign = __libc_malloc(100);
    NEED(foreign != NULL && allocates());
    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
    free(foreign);
    const char *result = allocates() ? "whole\n" : "broken\n";
    _exit(write(1, result, strlen(result)) < 0);
}
