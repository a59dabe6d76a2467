/* Row 19: the only pointer, in an object, carries a count in its highest bits, as in queues without locks.
 * blind: files
 * options: mask=48
 */
#include "preload.h"

struct node { uint64_t counted; };
static struct node *place = (struct node *)8;

static void put(void)
{
    place = malloc(sizeof *place);
    NEED(place != NULL);
    place->counted = (uint64_t)4711 << 48 | (uintptr_t)victim_new();
}

int main(void)
{
    run(put);
    churn();
    return judge((struct victim *)(place->counted & ~((uint64_t)0xffff << 48)));
}
