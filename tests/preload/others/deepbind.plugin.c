/* Makes objects with the malloc that it finds. */
#include <stdlib.h>

void *make(size_t bytes)
{
    return malloc(bytes);
}
