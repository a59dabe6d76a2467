/* A library that hides its pointers, as fontconfig does, loses nothing: neither one that is there from the start, nor
 * one that is opened later (the argument names it). Meanwhile the program leaks. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pattern;

enum { PATTERNS = 200, LEAKS = 40000, SMALL = 64 };

static struct pattern *patterns[PATTERNS];

int main(int count, char **arguments)
{
    void *library = count > 1 ? dlopen(arguments[1], RTLD_NOW) : RTLD_DEFAULT;
    struct pattern *(*make)(int) = (struct pattern *(*)(int))dlsym(library, "make");
    int (*is_whole)(struct pattern *) = (int (*)(struct pattern *))dlsym(library, "is_whole");
    void (*drop)(struct pattern *) = (void (*)(struct pattern *))dlsym(library, "drop");
    if (make == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    for (int i = 0; i < PATTERNS; i++)
        patterns[i] = make(i + 1);
    for (int i = 0; i < LEAKS; i++) {
        void *volatile leaked = malloc(i % 1000 + SMALL);
        memset(leaked, 0x55, SMALL);
    }
    for (int i = 0; i < PATTERNS; i++) {
        if (!is_whole(patterns[i])) {
            printf("pattern %d is lost\n", i);
            return 1;
        }
        drop(patterns[i]);
    }
    puts("whole");
    return 0;
}
