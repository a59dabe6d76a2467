/* Writes to an object whose only pointer is hidden.
 *
 * says: write at #, 40 bytes inside an object of 48 bytes at #, unreachable since collection 1
 * says:   by change_object+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_object+# (PROGRAM+#)
 * blind: barred
 */
#include "preload.h"

static uintptr_t hidden;

NOINLINE struct victim *make_object(void)
{
    struct victim *victim = calloc(1, sizeof *victim);
    NEED(victim != NULL);
    return victim;
}

static void put(void)
{
    hidden = hide(make_object());
}

NOINLINE void change_object(struct victim *victim)
{
    victim->word[5] = 5;
}

int main(void)
{
    run(put);
    churn();
    struct victim *victim = reveal(hidden);
    change_object(victim);
    printf("%d %d\n", (int)victim->word[0], (int)victim->word[5]);
    return 0;
}
