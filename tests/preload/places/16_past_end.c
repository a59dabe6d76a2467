/* Row 16: the only pointer is one past the end, as of a buffer that is filled; for sizes that fill their slots.
 * blind: files
 */
#include "preload.h"

static char *place[64] = {(char *)1};

static void put(void)
{
    for (size_t i = 0; i < 64; i++) {
        char *buffer = malloc(16 * (i + 1));
        NEED(buffer != NULL);
        memset(buffer, (int)i + 1, 16 * (i + 1));
        place[i] = buffer + 16 * (i + 1);
    }
}

int main(void)
{
    int is_whole = 1;
    run(put);
    for (size_t i = 0; i < 64; i++)
        churn_bytes(16 * (i + 1));
    for (size_t i = 0; i < 64; i++)
        for (size_t at = 1; at <= 16 * (i + 1); at++)
            is_whole &= place[i][-(ptrdiff_t)at] == (char)(i + 1);
    return verdict(is_whole);
}
