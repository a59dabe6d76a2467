/* gc_free of static data.
 *
 * EXPECT: gleaner: gc_free: not a gleaner object: <address>; free it with the allocator it came from
 * EXIT: SIGABRT
 */
#include <gleaner.h>

static char in_static_data[64];

int main(void)
{
    char *volatile p = in_static_data;
    gc_free(p);
    return 0;
}
