/* Row 1: the only pointers are in the static data of a library that was opened later: in what it begins with, and in
 * what begins as zero.
 * blind: files,anonymous
 */
#include "preload.h"

#include <dlfcn.h>

static struct victim **data, **zeroed;

static void put(void)
{
    *data = victim_new();
    *zeroed = victim_new();
}

int main(int argc, char **argv)
{
    NEED(argc == 1);
    char name[4096];
    /* The library lies beside the program, whose name ends in how it was optimised. */
    snprintf(name, sizeof name, "%.*s.so", (int)(strrchr(argv[0], '-') - argv[0]), argv[0]);
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        GIVE_UP("%s", dlerror());
    NEED((data = dlsym(library, "data")) != NULL && (zeroed = dlsym(library, "zeroed")) != NULL);
    run(put);
    churn();
    int is_whole = victim_is_whole(*data) && victim_is_whole(zeroed[0]);
    return verdict(is_whole);
}
