/*
 * The plugin of dlopen_loop: initialised data, zeroed data and thread-local storage of a shared object that comes and
 * goes hold the only pointers to chains. Its constructor allocates and its destructor frees, with the loader's lock
 * held.
 */
#include "dlopen_plugin.h"

enum { CHAIN_LENGTH = 200, FROM_CONSTRUCTOR = 77 };

static struct {
    const char *name;               /* not zero: the structure lies in initialised data */
    struct cell *chain;
} data = { "plugin", NULL };
static struct cell *bss;
static __thread struct cell *tls;
static struct cell *from_constructor;

/* The chains' code is this object's own copy: it calls the allocator that the whole process has. */
__attribute__((constructor)) static void plugin_start(void)
{
    from_constructor = chain_new(FROM_CONSTRUCTOR, CHAIN_LENGTH);
}

__attribute__((destructor)) static void plugin_end(void)
{
    chain_check(from_constructor, FROM_CONSTRUCTOR, CHAIN_LENGTH, "destructor of a plugin");
    chain_free(from_constructor);
}

PLUGIN_API void plugin_fill(uint64_t seed)
{
    data.chain = chain_new(seed, CHAIN_LENGTH);
    bss = chain_new(seed + 1, CHAIN_LENGTH);
}

PLUGIN_API void plugin_fill_tls(uint64_t seed) { tls = chain_new(seed, CHAIN_LENGTH); }

PLUGIN_API void plugin_check(uint64_t seed)
{
    chain_check(data.chain, seed, CHAIN_LENGTH, "initialised data of a plugin");
    chain_check(bss, seed + 1, CHAIN_LENGTH, "zeroed data of a plugin");
    chain_check(from_constructor, FROM_CONSTRUCTOR, CHAIN_LENGTH, "what a plugin's constructor made");
}

PLUGIN_API void plugin_check_tls(uint64_t seed)
{
    chain_check(tls, seed, CHAIN_LENGTH, "thread-local storage of a plugin");
}
