/* A library that allocates, and frees what others have allocated. */
#include <stdlib.h>
#include <string.h>

char *make(const char *text)
{
    return strdup(text);
}

void drop(void *p)
{
    free(p);
}
