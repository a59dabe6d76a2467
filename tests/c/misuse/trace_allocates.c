/* A trace procedure that allocates: the heap is half marked, and cannot be changed.
 *
 * EXPECT: gleaner: trace procedure: called gleaner while it marked; it may call gc_trace_word and gc_trace_range only
 * EXIT: SIGABRT
 */
#include <gleaner.h>

static void trace(void *object, size_t size, gc_tracer *tracer)
{
    if (gc_malloc(size) == object)
        gc_trace_word(tracer, object);
}

int main(void)
{
    void *volatile p = gc_malloc_kind(64, gc_kind_new(trace));
    gc_collect();
    return p == NULL;
}
