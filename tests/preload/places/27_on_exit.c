/* Row 27: the only pointer is the argument of a function that is called at exit with the status.
 * blind: files,anonymous
 */
#include "preload.h"

static void look(int status UNUSED, void *victim)
{
    judge(victim);
}

static void put(void)
{
    NEED(on_exit(look, victim_new()) == 0);
}

int main(void)
{
    run(put);
    churn();
    return 0;
}
