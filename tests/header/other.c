/* The second of two units that include the header. */
#include "once.h"

int other_unit(void)
{
    return GC_CYCLE_RESUME;
}
