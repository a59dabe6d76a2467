/* The data of a library opened at run time is a root until it is closed. Its path is the argument; it is built from
 * dlopen_root.plugin.c. */
#include <dlfcn.h>
#include "check.h"

static gc_weak *cells[MANY];
static void **(*words)(void);

static void fill(void)
{
    int i;
    for (i = 0; i < MANY; i++) {
        words()[i] = gc_malloc(64);
        cells[i] = observe(words()[i]);
    }
}

int main(int count, char **arguments)
{
    void *library;
    int round;
    CHECK(count == 2, "the library's path is missing");
    for (round = 0; round < 5; round++) {
        library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
        CHECK(library != NULL, "%s", dlerror());
        *(void **)&words = dlsym(library, "plugin_words");
        CHECK(words != NULL, "%s", dlerror());
        run(fill);
        gc_collect();
        CHECK(cleared(cells, MANY) == 0, "round %d: the library's data lost %zu", round, cleared(cells, MANY));
        CHECK(dlclose(library) == 0, "%s", dlerror());
        gc_collect();
        CHECK(cleared(cells, MANY) >= MOST(MANY), "round %d: %zu stay after dlclose", round,
              MANY - cleared(cells, MANY));
    }
    return 0;
}
