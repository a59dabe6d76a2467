/* Row 10: the only pointer is in a file, and read back from there, twice.
 * blind: sent
 */
#include "preload.h"

static int file;

static void put(void)
{
    struct victim *victim = victim_new();
    NEED(write(file, &victim, sizeof victim) == sizeof victim);
}

static void look(void)
{
    struct victim *victim;
    NEED(lseek(file, 0, SEEK_SET) == 0 && read(file, &victim, sizeof victim) == sizeof victim);
}

static struct victim *take(void)
{
    struct victim *victim;
    NEED(pread(file, &victim, sizeof victim, 0) == sizeof victim);
    return victim;
}

int main(void)
{
    FILE *stream = tmpfile();
    NEED(stream != NULL);
    file = fileno(stream);
    run(put);
    run(look);
    churn();
    return judge(take());
}
