/* Row 20: the only pointer is in a packed structure, at a multiple of four that is none of eight, in an object.
 * blind: files
 * options: step=4
 */
#include "preload.h"

struct __attribute__((__packed__)) item { uint32_t key; struct victim *victim; };
static struct item *place = (struct item *)8;

static void put(void)
{
    place = calloc(40, sizeof *place);
    NEED(place != NULL);
    for (uint32_t i = 0; i < 40; i += 3)
        place[i].victim = victim_new();
}

int main(void)
{
    int is_whole = 1;
    run(put);
    churn();
    for (uint32_t i = 0; i < 40; i += 3)
        is_whole &= victim_is_whole(place[i].victim);
    return verdict(is_whole);
}
