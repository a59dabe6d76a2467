/* A program that makes a daemon of itself: two forks, a session of its own, no descriptors left; then it works with threads
 * and collects. The first process waits for its word.
 */
#include "workers.h"

#include <sys/stat.h>
#include <sys/wait.h>

int main(void)
{
    int word[2];
    char said[16] = "";
    NEED(pipe(word) == 0 && threads_lose(1000));
    pid_t first = fork();
    NEED(first >= 0);
    if (first == 0) {
        setsid();
        if (fork() != 0)
            _exit(0);
        umask(0);
        NEED(chdir("/") == 0 && dup2(word[1], 3) == 3);
        closefrom(4);
        close(0), close(1), close(2);
        const char *result = threads_lose(40000) ? "whole" : "broken";
        _exit(write(3, result, strlen(result)) < 0);
    }
    close(word[1]);
    int status;
    NEED(waitpid(first, &status, 0) == first && status == 0);
    NEED(read(word[0], said, sizeof said - 1) > 0);
    puts(said);
    return 0;
}
