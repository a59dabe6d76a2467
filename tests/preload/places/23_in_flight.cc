/* Row 23: the only pointer is in an exception that is being handled, of which the handler knows nothing.
 * blind: anonymous
 */
#include "preload.h"

struct holder {
    struct victim *victim;
};

static NOINLINE void raise()
{
    throw holder{victim_new()};
}

static NOINLINE void raise_again()
{
    clear_stack(16);
    churn();
    throw;
}

int main()
{
    try {
        try {
            raise();
        } catch (...) {
            raise_again();
        }
    } catch (const holder &caught) {
        return judge(caught.victim);
    }
    return 1;
}
