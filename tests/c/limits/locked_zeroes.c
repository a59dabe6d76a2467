/* Memory that is locked cannot be given back to the system: what comes again for another object is zero all the same.
 *
 *     locked_zeroes LIBRARY
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { LARGE = 4 << 20, SMALL = 1024, OBJECTS = 1000 };

static void *(*allocate)(size_t);
static void (*give_back)(void *);
static size_t (*release)(void);

static size_t dirty_bytes(size_t bytes)
{
    size_t i, dirty = 0;
    unsigned char *object = allocate(bytes);
    for (i = 0; i < bytes; i++)
        dirty += object[i] != 0;
    return dirty;
}

int main(int count, char **arguments)
{
    void *library = count > 1 ? dlopen(arguments[1], RTLD_NOW) : NULL, *object, *objects[OBJECTS];
    size_t dirty, i;
    if (library == NULL)
        return puts(dlerror()), 1;
    *(void **)&allocate = dlsym(library, "gc_malloc");
    *(void **)&give_back = dlsym(library, "gc_free");
    *(void **)&release = dlsym(library, "gc_release");
    object = allocate(LARGE);
    memset(object, 0x55, LARGE);
    for (i = 0; i < OBJECTS; i++)
        memset(objects[i] = allocate(SMALL), 0x55, SMALL);
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
        return errno == EPERM || errno == ENOMEM ? 77 : 1;
    give_back(object);
    for (i = 0; i < OBJECTS; i++)
        give_back(objects[i]);
    release();
    dirty = dirty_bytes(LARGE);
    for (i = 0; i < OBJECTS; i++)
        dirty += dirty_bytes(SMALL);
    printf("%zu bytes of new objects are not zero\n", dirty);
    return dirty != 0;
}
