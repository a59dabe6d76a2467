/* longjmp out of a finalizer and out of a listener: nothing stays locked, and the rest still happens. */
#include <setjmp.h>
#include "check.h"

static jmp_buf out;
static size_t ran, heard;

static void jumping_finalizer(void *object, void *data)
{
    (void)object;
    (void)data;
    ran++;
    longjmp(out, 1);
}

static void fill(void)
{
    int i;
    for (i = 0; i < 100; i++)
        CHECK(gc_finalizer_set(gc_malloc(64), jumping_finalizer, NULL, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
}

static void jumping_listener(const gc_event *event, void *data)
{
    (void)data;
    CHECK((size_t)event->kind == heard % 5, "event %zu is %d", heard, (int)event->kind);
    heard++;
    if (event->kind == GC_CYCLE_MARK_END)
        longjmp(out, 1);
}

static void use_the_heap(void)
{
    int i;
    for (i = 0; i < 10000; i++) {
        void *p = gc_malloc(100);
        CHECK(p != NULL, "no memory");
        if (i % 2)
            gc_free(p);
    }
}

int main(void)
{
    volatile int i;
    run(fill);
    for (i = 0; i < 200; i++) {
        if (setjmp(out) == 0)
            gc_collect();
        use_the_heap();
    }
    CHECK(ran >= 99 && ran <= 100, "%zu of 100 finalizers ran, each jumping out", ran);

    gc_event_listener_set(jumping_listener, NULL);
    for (i = 0; i < 100; i++) {
        if (setjmp(out) == 0)
            gc_collect();
    }
    run(use_the_heap);
    gc_event_listener_set(NULL, NULL);
    CHECK(heard == 500, "%zu events of 100 collections", heard);
    run(use_the_heap);
    gc_collect();
    return 0;
}
