/* A library that is opened with RTLD_DEEPBIND, as the user has allowed: it uses the C library's malloc, the program ours,
 * and what the library makes the program frees.
 * options: deepbind=1
 * says: a library was opened with RTLD_DEEPBIND
 */
#include "preload.h"

#include <dlfcn.h>

int main(void)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 16);
    NEED(length > 0);
    path[length] = '\0';
    strcpy(strrchr(path, '/'), "/deepbind.so");
    void *library = dlopen(path, RTLD_NOW | RTLD_DEEPBIND);
    NEED(library != NULL);
    void *(*make)(size_t) = (void *(*)(size_t))(uintptr_t)dlsym(library, "make");
    NEED(make != NULL);
    for (size_t bytes = 1; bytes < 300000; bytes += 1 + bytes / 3) {
        char *p = make(bytes);
        NEED(p != NULL && malloc_usable_size(p) >= bytes);
        p = realloc(p, bytes + 100);
        memset(p, 1, bytes + 100);
        free(p);
        malloc_trim(0);
    }
    puts("each got its own back");
    return 0;
}
