/*
 * A stand-in for libgleaner_malloc.so: says that it was loaded and with which options, or prints a table.
 * The command's tests need to know what reaches the program, not an allocator.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void loaded(void)
{
    const char *options = getenv("GLEANER_OPTIONS");

    if (options != NULL && strcmp(options, "help") == 0)
        dprintf(STDERR_FILENO, "stand-in table\n");
    else
        dprintf(STDERR_FILENO, "stand-in pid=%ld options=%s\n", (long)getpid(), options != NULL ? options : "none");
}
