/* Reads an object whose only pointer is hidden.
 *
 * says: read at #, 16 bytes inside an object of 48 bytes at #, unreachable since collection 1
 * says:   by use_object+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_object+# (PROGRAM+#)
 * blind: barred
 */
#include "preload.h"

static uintptr_t hidden;

NOINLINE struct victim *make_object(void)
{
    struct victim *victim = malloc(sizeof *victim);
    victim_fill(victim);
    return victim;
}

static void put(void)
{
    hidden = hide(make_object());
}

NOINLINE uint64_t use_object(struct victim *victim)
{
    return victim->word[2];
}

int main(void)
{
    run(put);
    churn();
    uint64_t word = use_object(reveal(hidden));
    printf("%s\n", word == victim_word(2) ? "read" : "wrong");
    return 7;
}
