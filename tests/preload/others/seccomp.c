/* A program that brings a filter of system calls: any call but those about memory ends it.
 * says: a filter of system calls would end the process
 */
#include "filter.h"

int main(void)
{
    struct sock_fprog filter = filter_of_memory();
    NEED(allocates());
    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
    const char *result = allocates() ? "whole\n" : "broken\n";
    _exit(write(1, result, strlen(result)) < 0);
}
