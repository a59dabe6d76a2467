/* A library opened with RTLD_DEEPBIND would find the C library's malloc before the preloaded one, and free with it what
 * the program has allocated. PHP opens its extensions so. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 10000 };

int main(int count, char **arguments)
{
    void *library = count > 1 ? dlopen(arguments[1], RTLD_NOW | RTLD_DEEPBIND) : NULL;
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    char *(*make)(const char *) = (char *(*)(const char *))dlsym(library, "make");
    void (*drop)(void *) = (void (*)(void *))dlsym(library, "drop");
    for (int i = 0; i < ROUNDS; i++) {
        char *of_library = make("text");
        char *of_program = strdup(of_library);
        free(of_library);
        drop(of_program);
    }
    if (dlopen("no such library", RTLD_NOW | RTLD_DEEPBIND) != NULL || strstr(dlerror(), "no such library") == NULL)
        return 1;
    puts("shared");
    return 0;
}
