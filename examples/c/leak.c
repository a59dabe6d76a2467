/* leak: an ordinary program with an ordinary leak, and no word of gleaner in it.
 *
 *     cc -O2 -o leak leak.c
 *     ./leak
 *     gleaner run ./leak
 *
 * It copies every line it is given and remembers the last few. The copy that falls out of the table is forgotten.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES = 4000000, KEPT = 64 };

static char *last[KEPT];

static void remember(int number, const char *line) {
    last[number % KEPT] = strdup(line); /* and the one that stood there? */
}

/* Memory that the process has in use, in MiB, as the kernel counts it. */
static long resident(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1)
        exit(1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE) >> 20;
}

int main(void) {
    char line[32];
    size_t length = 0;
    for (int i = 0; i < LINES; i++) {
        snprintf(line, sizeof line, "transaction %d", i);
        remember(i, line);
    }
    for (int i = 0; i < KEPT; i++)
        length += strlen(last[i]);
    printf("%d lines, %zu bytes remembered, %ld MiB in use\n", LINES, length, resident());
    return 0;
}
