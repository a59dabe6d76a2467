/* Row 23: the only pointer is in an exception that static data points to.
 * blind: files,anonymous
 */
#include "preload.h"

#include <exception>

struct holder {
    struct victim *victim;
};

static std::exception_ptr kept;

static void put()
{
    try {
        throw holder{victim_new()};
    } catch (...) {
        kept = std::current_exception();
    }
}

int main()
{
    run(put);
    churn();
    try {
        std::rethrow_exception(kept);
    } catch (const holder &caught) {
        return judge(caught.victim);
    }
    return 1;
}
