/* luaL_newstate with Lua's memory from gleaner.h, for an interpreter that keeps its own collector.
 *
 * Lua's door is one function: it allocates, resizes and frees. Its own collector calls it for each object that it
 * finds dead, so ours finds nothing to reclaim, whatever it does; it only has to keep what Lua keeps.
 *
 * All memory is scanned, strings too: Lua chains every object to the next through its first word, and an object that
 * is not searched would cut that chain.
 *
 * The state's address lies on the stack of main, which is a root; memory of glibc is not, and holds none of ours.
 */
#include <stdio.h>

#include "gleaner.h"
#include "lauxlib.h"
#include "lua.h"

static void *allocate(void *data, void *block, size_t old_size, size_t size) {
    (void)data, (void)old_size;
    if (size == 0) {
        gc_free(block);
        return NULL;
    }
    return block == NULL ? gc_malloc(size) : gc_realloc(block, size);
}

static int panic(lua_State *L) {
    fprintf(stderr, "lua: unprotected error: %s\n", lua_tostring(L, -1));
    return 0;
}

lua_State *gleaner_newstate(void) {
    lua_State *L = lua_newstate(allocate, NULL);
    if (L != NULL) lua_atpanic(L, panic);
    return L;
}
