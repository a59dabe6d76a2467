/* waitpid waits until a child ends. */
#define ROUNDS 40
#include "calls.h"

#include <sys/wait.h>

void call(void)
{
    pid_t child = fork();
    if (child == 0) {
        linger();
        _exit(7);
    }
    int status = 0;
    ended(waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : -1);
}
