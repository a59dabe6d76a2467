/* gc_finalizer_set on what is no object: EINVAL, and no word.
 *
 * EXPECT: 
 * EXIT: 0
 */
#include <gleaner.h>
#include <errno.h>

static char in_static_data[64];

static void finalizer(void *object, void *data)
{
    (void)object;
    (void)data;
}

static int set(void *object)
{
    return gc_finalizer_set(object, finalizer, NULL, GC_FINALIZER_ORDERED);
}

int main(void)
{
    char on_stack[64];
    char *object = gc_malloc(64);
    if (set(NULL) != EINVAL)
        return 1;
    if (set(on_stack) != EINVAL)
        return 2;
    if (set(in_static_data) != EINVAL)
        return 3;
    if (set(object + 8) != EINVAL)
        return 4;
    return set(object);
}
