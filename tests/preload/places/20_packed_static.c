/* Row 20: the same in static data.
 * blind: files,anonymous
 * options: step=4
 */
#include "preload.h"

struct __attribute__((__packed__)) item { uint32_t key; struct victim *victim; };
static struct item place[3000] = {{1, NULL}};

static void put(void)
{
    for (uint32_t i = 0; i < 3000; i += 7)
        place[i].victim = victim_new();
}

int main(void)
{
    int is_whole = 1;
    run(put);
    churn();
    for (uint32_t i = 0; i < 3000; i += 7)
        is_whole &= victim_is_whole(place[i].victim);
    return verdict(is_whole);
}
