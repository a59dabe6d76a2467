/* A program that closes every descriptor but those it prints by, again and again, while its threads collect. */
#include "workers.h"

#include <stdatomic.h>

static atomic_int has_ended;

static void *closes(void *unused)
{
    while (!has_ended)
        closefrom(3);
    return unused;
}

int main(void)
{
    pthread_t thread;
    NEED((errno = pthread_create(&thread, NULL, closes, NULL)) == 0);
    int are_whole = threads_lose(40000);
    has_ended = 1;
    pthread_join(thread, NULL);
    puts(are_whole ? "whole" : "broken");
    return 0;
}
