/* Prints the heap's limit. */
#include <gleaner.h>
#include <stdio.h>

int main(void)
{
    gc_stats figures;
    figures.size = sizeof figures;
    if (gc_malloc(16) == NULL || gc_stats_get(&figures) != 0)
        return 1;
    printf("%lu\n", (unsigned long)figures.bytes_limit);
    return 0;
}
