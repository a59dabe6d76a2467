/* A program that ends in every way while its threads collect: none of it hangs. */
#include "workers.h"

#include <signal.h>
#include <sys/wait.h>

enum { WAYS = 6, TIMES = 10 };

static void end(int number)
{
    (void)number;
    _exit(7);
}

static void *ends(void *way)
{
    switch ((uintptr_t)way) {
    case 1:
        exit(7);
    case 2:
        _exit(7);
    case 3:
        raise(SIGKILL);
        break;
    case 4:
        abort();
    case 5:
        signal(SIGALRM, end);
        kill(getpid(), SIGALRM);
        break;
    default:
        break;
    }
    for (;;)
        pause();
    return way;
}

static void run_and_end(uintptr_t way, int spins)
{
    pthread_t thread;
    for (int i = 0; i < THREADS; i++)
        NEED((errno = pthread_create(&thread, NULL, loses, (void *)(uintptr_t)100000000)) == 0);
    for (int i = 0; i < spins; i++)
        free(malloc(100)), malloc_trim(0);
    if (way == 0)
        exit(7); /* as main does when it returns */
    NEED((errno = pthread_create(&thread, NULL, ends, (void *)way)) == 0);
    for (;;)
        malloc_trim(0);
}

int main(void)
{
    for (uintptr_t way = 0; way < WAYS; way++)
        for (int time = 0; time < TIMES; time++) {
            pid_t process = fork();
            NEED(process >= 0);
            if (process == 0)
                run_and_end(way, time);
            int status;
            NEED(waitpid(process, &status, 0) == process);
            int is_right = way == 3   ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                           : way == 4 ? WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT
                                      : WIFEXITED(status) && WEXITSTATUS(status) == 7;
            NEED(is_right);
        }
    puts("each has ended");
    return 0;
}
