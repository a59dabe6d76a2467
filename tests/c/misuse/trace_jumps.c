/* A trace procedure that jumps away: the world would stand still for ever.
 *
 * EXPECT: gleaner: trace procedure: jumped away while it marked; it may do nothing but return
 * EXIT: SIGABRT
 */
#include <gleaner.h>
#include <setjmp.h>

static jmp_buf out;

static void trace(void *object, size_t size, gc_tracer *tracer)
{
    gc_trace_range(tracer, object, (char *)object + size);
    longjmp(out, 1);
}

int main(void)
{
    void *volatile p = gc_malloc_kind(64, gc_kind_new(trace));
    if (setjmp(out) == 0)
        gc_collect();
    return p == NULL;
}
