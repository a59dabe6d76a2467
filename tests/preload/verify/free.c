/* Frees an object whose only pointer is hidden, and gives another to realloc.
 *
 * says: free of #, 0 bytes inside an object of 48 bytes at #, unreachable since collection 1
 * says:   by drop_object+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_object+# (PROGRAM+#)
 * says: realloc of #, 0 bytes inside an object of 48 bytes at #, unreachable since collection 1
 * says:   by grow_object+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_object+# (PROGRAM+#)
 * blind: calls
 */
#include "preload.h"

static uintptr_t hidden[2];

NOINLINE struct victim *make_object(void)
{
    struct victim *victim = malloc(sizeof *victim);
    victim_fill(victim);
    return victim;
}

static void put(void)
{
    hidden[0] = hide(make_object());
    hidden[1] = hide(make_object());
}

NOINLINE int drop_object(void *p)
{
    free(p);
    return 1;
}

NOINLINE struct victim *grow_object(void *p)
{
    struct victim *grown = realloc(p, 4000);
    NEED(grown != NULL);
    return grown;
}

int main(void)
{
    run(put);
    churn();
    int dropped = drop_object(reveal(hidden[0]));
    printf("%d %s\n", dropped, victim_is_whole(grow_object(reveal(hidden[1]))) ? "whole" : "wrong");
    return 0;
}
