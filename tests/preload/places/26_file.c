/* Row 26: the only pointer to a stream, which has not written yet what it was given, is the C library's own.
 * blind: files
 */
#include "preload.h"

enum { LINES = 100 };
static int file;

static void put(void)
{
    char name[] = "/tmp/stream.XXXXXX";
    file = mkstemp(name);
    FILE *stream = file < 0 ? NULL : fdopen(dup(file), "w");
    NEED(stream != NULL && unlink(name) == 0);
    for (int i = 0; i < LINES; i++)
        NEED(fprintf(stream, "line %3d\n", i) == 9);
}

int main(void)
{
    int whole = 0;
    run(put);
    for (size_t bytes = 448; bytes <= 640; bytes += 16)
        churn_bytes(bytes);
    churn_bytes(4096);
    NEED(fflush(NULL) == 0);
    for (int i = 0; i < LINES; i++) {
        char expected[16], found[16] = "";
        snprintf(expected, sizeof expected, "line %3d\n", i);
        NEED(pread(file, found, 9, 9 * i) >= 0);
        whole += strcmp(found, expected) == 0;
    }
    return verdict(whole == LINES);
}
