/* Writes to an object whose only pointer is hidden, and whose neighbours are all in use: its page cannot be barred, and the
 * write is found by what has changed.
 *
 * says: write to an object of 48 bytes at #, unreachable since collection 1; it was seen by what has changed
 * says:   allocated by make_object+# (PROGRAM+#)
 * blind: sums
 */
#include "preload.h"

enum { MANY = 1000, VICTIM = 500 };
static struct victim *kept[MANY];
static uintptr_t hidden;

NOINLINE struct victim *make_object(void)
{
    struct victim *victim = malloc(sizeof *victim);
    victim_fill(victim);
    return victim;
}

static void put(void)
{
    for (int i = 0; i < MANY; i++)
        kept[i] = make_object();
    hidden = hide(kept[VICTIM]);
    kept[VICTIM] = NULL;
}

NOINLINE void change_object(struct victim *victim)
{
    victim->word[5] = 5;
}

static void change(void)
{
    change_object(reveal(hidden));
}

int main(void)
{
    run(put);
    churn();
    run(change);
    churn();
    printf("%d\n", (int)((struct victim *)reveal(hidden))->word[5]);
    return 0;
}
