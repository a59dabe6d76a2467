/* gc_free of memory from glibc's malloc, in a program without the malloc door.
 *
 * EXPECT: gleaner: gc_free: not a gleaner object: <address>; free it with the allocator it came from
 * EXIT: SIGABRT
 */
#include <gleaner.h>
#include <stdlib.h>

int main(void)
{
    char *volatile p = malloc(64);
    gc_free(p);
    return 0;
}
