/* Loses far more than is live, without a limit: no more than 64 MiB are kept, and the process stays small.
 *
 * options: stats=1
 * says: accesses=0 condemned_objects=# condemned_bytes=# given_up=#
 */
#include "preload.h"

enum { ROUNDS = 200, MANY = 1000, BYTES = 5000, PEAK_KIB_MAX = 256 << 10 };

static void lose(void)
{
    for (int i = 0; i < MANY; i++) {
        char *lost = malloc(BYTES);
        NEED(lost != NULL);
        memset(lost, i, BYTES);
    }
}

static long peak_kib(void)
{
    char line[256];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");
    NEED(status != NULL);
    while (fgets(line, sizeof line, status) != NULL)
        sscanf(line, "VmHWM: %ld", &kib);
    NEED(kib >= 0 && fclose(status) == 0);
    return kib;
}

int main(void)
{
    for (int i = 0; i < ROUNDS; i++)
        run(lose);
    /* Without a collector it is 1 GiB. */
    NEED(getenv("GLEANER_OPTIONS") == NULL || peak_kib() < PEAK_KIB_MAX);
    puts("done");
    return 0;
}
