/* Row 27: the only pointers are arguments of functions that are called at exit: more than the C library has room for in
 * its own data.
 * blind: files,anonymous
 */
#include "preload.h"

int __cxa_atexit(void (*)(void *), void *, void *);

enum { COUNT = 100 };
static int whole;

static void look(void *victim)
{
    whole += victim_is_whole(victim);
}

static void say(void *unused UNUSED)
{
    verdict(whole == COUNT);
}

static void put(void)
{
    NEED(__cxa_atexit(say, NULL, NULL) == 0);
    for (int i = 0; i < COUNT; i++)
        NEED(__cxa_atexit(look, victim_new(), NULL) == 0);
}

int main(void)
{
    run(put);
    churn();
    return 0;
}
