/* Row 2: the only pointer is in a thread-local variable of the main thread.
 * blind: anonymous
 */
#include "preload.h"

static __thread struct victim *place;

static void put(void)
{
    place = victim_new();
}

int main(void)
{
    run(put);
    churn();
    return judge(place);
}
