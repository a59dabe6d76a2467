/* The only pointer is out of sight during two collections, in sight during the third, and out of sight for two more: never
 * for three in a row.
 *
 * survives: grace=3
 * lost: grace=2
 */
#include "preload.h"

static uintptr_t hidden;
static void *volatile in_sight;

static void put(void)
{
    hidden = hide(victim_new());
}

static void show(void)
{
    in_sight = reveal(hidden);
}

static void collect(int times)
{
    for (int i = 0; i < times; i++) {
        clear_stack(16);
        malloc_trim(0);
    }
}

/* Overwrites what has been lost. */
static void overwrite(void)
{
    void *made[1000];
    for (int i = 0; i < 1000; i++) {
        NEED((made[i] = malloc(VICTIM_BYTES)) != NULL);
        memset(made[i], 0xee, VICTIM_BYTES);
    }
    for (int i = 0; i < 1000; i++)
        free(made[i]);
}

int main(void)
{
    run(put);
    collect(2);
    run(overwrite);
    run(show);
    collect(1);
    in_sight = NULL;
    collect(2);
    run(overwrite);
    return judge(reveal(hidden));
}
