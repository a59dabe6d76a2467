/* Row 4: the only pointers are in thread-local variables of a library that was opened later, one of the thread that
 * opened it and one of another.
 * blind: control,anonymous
 */
#include "beside.h"

#include <dlfcn.h>
static struct victim **(*place)(void);

static void put(void)
{
    *place() = victim_new();
}

static void *other(void *unused UNUSED)
{
    run(put);
    let_collect();
    return (void *)(uintptr_t)victim_is_whole(*place());
}

int main(int argc, char **argv)
{
    NEED(argc == 1);
    char name[4096];
    snprintf(name, sizeof name, "%.*s.so", (int)(strrchr(argv[0], '-') - argv[0]), argv[0]);
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        GIVE_UP("%s", dlerror());
    NEED((place = (struct victim **(*)(void))dlsym(library, "place")) != NULL);
    run(put);
    void *is_whole = collect_beside(other);
    return verdict(victim_is_whole(*place()) && is_whole != NULL);
}
