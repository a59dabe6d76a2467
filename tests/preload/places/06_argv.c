/* Row 6: the only pointer is an argument that the program has replaced.
 * blind: stack_top
 */
#include "preload.h"

static char **arguments;

static void put(void)
{
    arguments[0] = (char *)victim_new();
}

int main(int argc, char **argv)
{
    NEED(argc == 1);
    arguments = argv;
    run(put);
    churn();
    return judge((struct victim *)argv[0]);
}
