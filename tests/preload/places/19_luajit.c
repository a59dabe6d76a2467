/* Row 19: the only pointer is a light user data of LuaJIT's: its low bits, a number that stands for the high ones, and a
 * tag. LuaJIT is known by the name of its library, which is opened after the first collection.
 * blind: anonymous
 * needs: ldconfig -p | grep -q libluajit-5.1.so.2
 */
#include "preload.h"

#include <dlfcn.h>

enum { GLOBALS = -10002 };

static void *state;
static void *(*new_state)(void);
static void (*push)(void *, void *), (*set_field)(void *, int, const char *), (*get_field)(void *, int, const char *);
static void (*set_top)(void *, int);
static void *(*to_userdata)(void *, int);

#define FIND(function, name) NEED((*(void **)&(function) = dlsym(library, "lua" name)) != NULL)

static void put(void)
{
    push(state, victim_new());
    set_field(state, GLOBALS, "victim");
    /* What is left of it above the top of the stack. */
    for (int i = 0; i < 8; i++)
        push(state, NULL);
    set_top(state, 0);
}

int main(void)
{
    malloc_trim(0);
    void *library = dlopen("libluajit-5.1.so.2", RTLD_NOW);
    if (library == NULL)
        GIVE_UP("%s", dlerror());
    FIND(new_state, "L_newstate");
    FIND(push, "_pushlightuserdata");
    FIND(set_field, "_setfield");
    FIND(get_field, "_getfield");
    FIND(set_top, "_settop");
    FIND(to_userdata, "_touserdata");
    NEED((state = new_state()) != NULL);
    run(put);
    churn();
    get_field(state, GLOBALS, "victim");
    return judge(to_userdata(state, -1));
}
