/* The functions that dlopen_loop finds in its plugin by name. */
#ifndef DLOPEN_PLUGIN_H
#define DLOPEN_PLUGIN_H

#include "door.h"

#define PLUGIN_API __attribute__((visibility("default")))

PLUGIN_API void plugin_fill(uint64_t seed);         /* data and bss of the plugin */
PLUGIN_API void plugin_check(uint64_t seed);
PLUGIN_API void plugin_fill_tls(uint64_t seed);     /* thread-local storage of the calling thread */
PLUGIN_API void plugin_check_tls(uint64_t seed);

#endif
