/* Weak tables: see lweak.c. A table is weak when it is black; no other object is. */
#ifndef lweak_h
#define lweak_h

#include "lobject.h"

void luaW_check(lua_State *L, Table *t, Table *mt);
const TValue *luaW_get(Table *t, const TValue *key);
void luaW_new(lua_State *L, Table *t, const TValue *key, const TValue *value);
void luaW_store(Table *t, const TValue *value);
int luaW_next(lua_State *L, Table *t, StkId key);
lua_Unsigned luaW_length(Table *t);

#endif
