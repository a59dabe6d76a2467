/* Row 20: the same in an object of many pages, across their borders too.
 * blind: files
 * options: step=4
 */
#include "preload.h"

enum { ITEMS = 100000 };
struct __attribute__((__packed__)) item { uint32_t key; struct victim *victim; };
static struct item *place = (struct item *)8;

static void put(void)
{
    place = calloc(ITEMS, sizeof *place);
    NEED(place != NULL);
    for (uint32_t i = 0; i < ITEMS; i += 7)
        place[i].victim = victim_new();
}

int main(void)
{
    int is_whole = 1;
    run(put);
    churn();
    for (uint32_t i = 0; i < ITEMS; i += 7)
        is_whole &= victim_is_whole(place[i].victim);
    return verdict(is_whole);
}
