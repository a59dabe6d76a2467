/* Row 10: more pointers are on their way than can be followed. Then nothing is reclaimed any more.
 * blind: sent
 */
#include "preload.h"

enum { COUNT = 80000 };
static int file;

static void put(void)
{
    for (int i = 0; i < COUNT; i++) {
        struct victim *victim = victim_new();
        NEED(write(file, &victim, sizeof victim) == sizeof victim);
    }
}

int main(void)
{
    FILE *stream = tmpfile();
    struct victim *victim;
    int whole = 0;
    NEED(stream != NULL);
    file = fileno(stream);
    run(put);
    churn();
    for (int i = 0; i < COUNT; i++) {
        NEED(pread(file, &victim, sizeof victim, i * (off_t)sizeof victim) == sizeof victim);
        whole += victim_is_whole(victim);
    }
    return verdict(whole == COUNT);
}
