/* A vfork child resets every handler that is set, as CPython's subprocess does. It shares its parent's memory, but not
 * its handlers: the parent's stop signal must stay what it was, or the next collection kills the parent. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 200000 };

static void *work(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        void *volatile p = malloc(64);
        free(p);
    }
    return argument;
}

static void reset_handlers(void)
{
    struct sigaction action, reset = { .sa_handler = SIG_DFL };
    for (int number = 1; number <= 64; number++)
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
            sigaction(number, &reset, NULL);
}

int main(void)
{
    pthread_t threads[THREADS];
    pid_t child = vfork();
    if (child == 0) {
        reset_handlers();
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    puts("survived");
    return 0;
}
