/* Sizes that no memory can hold: NULL and ENOMEM, and no word.
 *
 * EXPECT: 
 * EXIT: 0
 */
#include <gleaner.h>
#include <errno.h>

int main(void)
{
    volatile size_t most = SIZE_MAX, half = SIZE_MAX / 2 + 1, root = (size_t)1 << 33;
    void *volatile p = gc_malloc(most);
    if (p != NULL || errno != ENOMEM)
        return 1;
    errno = 0;
    p = gc_malloc_atomic(half);
    if (p != NULL || errno != ENOMEM)
        return 2;
    errno = 0;
    p = gc_calloc(root, root);
    if (p != NULL || errno != ENOMEM)
        return 3;
    errno = 0;
    p = gc_memalign(4096, most);
    if (p != NULL || errno != ENOMEM)
        return 4;
    p = gc_malloc(16);
    return p == NULL;
}
