/* gc_memalign with an alignment that is not a power of two: NULL and EINVAL, and no word.
 *
 * EXPECT: 
 * EXIT: 0
 */
#include <gleaner.h>
#include <errno.h>

int main(void)
{
    volatile size_t alignment = 3;
    void *volatile p = gc_memalign(alignment, 16);
    if (p != NULL)
        return 1;
    if (errno != EINVAL)
        return 2;
    p = gc_memalign(16, 16);
    return p == NULL;
}
