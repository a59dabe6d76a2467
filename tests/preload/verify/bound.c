/* Loses far more than may be kept: the oldest are given up, and the program has the memory that it needs.
 *
 * options: limit=128M:stats=1
 * says: accesses=0 condemned_objects=# condemned_bytes=# given_up=#
 */
#include "preload.h"

enum { ROUNDS = 200, MANY = 1000, BYTES = 5000 };

static void lose(void)
{
    for (int i = 0; i < MANY; i++) {
        char *lost = malloc(BYTES);
        NEED(lost != NULL);
        memset(lost, i, BYTES);
    }
}

int main(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        run(lose);
        malloc_trim(0);
    }
    puts("done");
    return 0;
}
