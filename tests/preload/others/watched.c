/* A program with threads that collects; debuggers and tracers are started on it (watched.sh). */
#include "workers.h"

int main(void)
{
    puts(threads_lose(60000) ? "whole" : "broken");
    return 0;
}
