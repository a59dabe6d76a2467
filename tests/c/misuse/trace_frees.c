/* A trace procedure that frees: the heap is half marked, and cannot be changed.
 *
 * EXPECT: gleaner: trace procedure: called gleaner while it marked; it may call gc_trace_word and gc_trace_range only
 * EXIT: SIGABRT
 */
#include <gleaner.h>

static void *garbage;

static void trace(void *object, size_t size, gc_tracer *tracer)
{
    gc_free(garbage);
    gc_trace_range(tracer, object, (char *)object + size);
}

int main(void)
{
    void *volatile p = gc_malloc_kind(64, gc_kind_new(trace));
    garbage = gc_malloc(16);
    gc_collect();
    return p == NULL;
}
