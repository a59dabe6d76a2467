/* A program that goes where there is no /proc: it cannot be collected there, and works.
 * needs: test "$(id -u)" = 0
 * says: a collection was given up: the system does not show this process's threads or memory
 */
#include "workers.h"

#include <sys/wait.h>

int main(void)
{
    char directory[] = "/tmp/preload-no-proc-XXXXXX";
    NEED(mkdtemp(directory) != NULL);
    pid_t process = fork();
    NEED(process >= 0);
    if (process == 0)
        _exit(chroot(directory) != 0 || chdir("/") != 0 || !threads_lose(30000));
    int status;
    NEED(waitpid(process, &status, 0) == process && rmdir(directory) == 0);
    puts(status == 0 ? "whole" : "broken");
    return 0;
}
