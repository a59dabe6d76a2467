/* Says in the heap's side metadata that a part of a large object is free, and collects: option verify=1 has to name it.
 *
 *     verify [BASE CLASSES]   where the library has the addresses of the cage and of the classes of its units
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <gleaner.h>
#include <stdlib.h>

/* log2 of the bytes of a unit. */
enum { UNIT_SHIFT = 16 };

int main(int count, char **arguments)
{
    Dl_info library;
    char *volatile object = gc_malloc(1 << 20);
    if (object == NULL || dladdr(dlsym(RTLD_DEFAULT, "gc_version"), &library) == 0)
        return 1;
    if (count > 2) {
        char *start = library.dli_fbase;
        uintptr_t base = *(uintptr_t *)(start + strtoul(arguments[1], NULL, 16));
        uint16_t *classes = *(uint16_t **)(start + strtoul(arguments[2], NULL, 16));
        classes[(((uintptr_t)object - base) >> UNIT_SHIFT) + 1] = 0;
    }
    gc_collect();
    return gc_collections() == 0 || object == NULL;
}
