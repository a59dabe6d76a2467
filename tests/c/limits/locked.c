/* Locks the process into memory, and starts the engine before or after: what the heap has only reserved stays out of it.
 *
 *     locked LIBRARY before|after
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OBJECTS = 100000, BYTES = 100 };

static size_t resident(void)
{
    size_t all = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%zu %zu", &all, &pages) != 2)
        exit(3);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static int lock(void)
{
    return mlockall(MCL_CURRENT | MCL_FUTURE);
}

int main(int count, char **arguments)
{
    size_t before, after, most = (size_t)OBJECTS * BYTES * 3 / 2 + (16 << 20);
    int is_before = count > 2 && strcmp(arguments[2], "before") == 0, i;
    void *library, **list = NULL;
    void *(*allocate)(size_t);
    if (is_before && lock() != 0)
        return errno == EPERM || errno == ENOMEM ? 77 : 1;
    before = resident();
    library = dlopen(arguments[1], RTLD_NOW);
    if (library == NULL)
        return puts(dlerror()), 1;
    *(void **)&allocate = dlsym(library, "gc_malloc");
    if (!is_before && (allocate(BYTES) == NULL || lock() != 0))
        return errno == EPERM || errno == ENOMEM ? 77 : 1;
    for (i = 0; i < OBJECTS; i++) {
        void **object = allocate(BYTES);
        if (object == NULL)
            return puts("no memory"), 1;
        *object = list;
        list = object;
    }
    after = resident();
    printf("%zu KiB more are resident, at most %zu are expected\n", (after - before) / 1024, most / 1024);
    return after - before > most;
}
