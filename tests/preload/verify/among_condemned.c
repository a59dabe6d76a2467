/* Reads one of many objects whose only pointers are hidden: it has no page of its own, but there is nobody else on its page.
 *
 * says: read at #, 24 bytes inside an object of 48 bytes at #, unreachable since collection 1
 * says:   by use_object+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_object+# (PROGRAM+#)
 * blind: barred
 */
#include "preload.h"

enum { MANY = 4000, VICTIM = 1001 };
static uintptr_t hidden[MANY];

NOINLINE struct victim *make_object(void)
{
    struct victim *victim = malloc(sizeof *victim);
    victim_fill(victim);
    return victim;
}

static void put(void)
{
    for (int i = 0; i < MANY; i++)
        hidden[i] = hide(make_object());
}

NOINLINE uint64_t use_object(struct victim *victim)
{
    return victim->word[3];
}

int main(void)
{
    run(put);
    churn();
    uint64_t word = use_object(reveal(hidden[VICTIM]));
    printf("%s\n", word == victim_word(3) ? "read" : "wrong");
    return 0;
}
