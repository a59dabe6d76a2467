/* The first of two units that include the header, each twice: they link, and nothing is defined twice. */
#include "once.h"

int main(void)
{
    return other_unit() == GC_CYCLE_RESUME ? 0 : 1;
}
