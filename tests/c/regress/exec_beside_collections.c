/* A program that replaces itself while its threads collect: the stop signal must not end the program that comes after. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROUNDS = 30 };

static void *work(void *argument)
{
    for (;;) {
        void *volatile p = malloc(64);
        free(p);
    }
    return argument;
}

int main(int argc, char **argv)
{
    int round = argc > 1 ? atoi(argv[1]) : 0;
    char next[16];
    pthread_t thread;
    for (int i = 0; i < 2000; i++) {
        void *volatile p = malloc(64);
        free(p);
    }
    if (round == ROUNDS) {
        puts("survived");
        return 0;
    }
    if (pthread_create(&thread, NULL, work, NULL) != 0 || pthread_create(&thread, NULL, work, NULL) != 0)
        return 1;
    snprintf(next, sizeof next, "%d", round + 1);
    execl("/proc/self/exe", argv[0], next, (char *)NULL);
    return 1;
}
