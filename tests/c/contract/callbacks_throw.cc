/* C++ exceptions through the out-of-memory handler, a finalizer, a listener and gc_blocking. */
#include "check.h"

#include <new>
#include <stdexcept>

static size_t caught, ran;

static void *throwing_handler(size_t, void *)
{
    throw std::bad_alloc();
}

static void throwing_finalizer(void *, void *)
{
    ran++;
    throw std::runtime_error("finalizer");
}

static void throwing_listener(const gc_event *, void *)
{
    throw std::runtime_error("listener");
}

static void *throwing_region(void *data)
{
    throw std::runtime_error(static_cast<const char *>(data));
}

static void fill()
{
    for (int i = 0; i < 100; i++)
        CHECK(gc_finalizer_set(gc_malloc(64), throwing_finalizer, NULL, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
}

template <class Exception, class Step> static void catching(Step step)
{
    try {
        step();
    } catch (const Exception &) {
        caught++;
    }
}

static void allocate_too_much()
{
    use(gc_malloc(64 << 20));
}

/* Collects some frames further down the stack than the call before, which a finalizer may have thrown out of. */
static NOINLINE void collect_deeper()
{
    char frame[4096];
    memset(frame, 0, sizeof frame);
    use(frame);
    gc_collect();
    use(frame);
}

static void block()
{
    static char message[] = "region";
    use(gc_blocking(throwing_region, message));
}

int main()
{
    gc_heap_limit_set(16 << 20);
    gc_oom_handler_set(throwing_handler, NULL);
    for (int i = 0; i < 1000; i++)
        catching<std::bad_alloc>(allocate_too_much);
    CHECK(caught == 1000, "%zu of 1000 exceptions of the handler arrived", caught);
    gc_oom_handler_set(NULL, NULL);

    run(fill);
    for (int i = 0; i < 200; i++)
        catching<std::runtime_error>(gc_collect);
    CHECK(ran >= 99 && ran <= 100, "%zu of 100 finalizers ran, each throwing", ran);
    CHECK(caught == 1000 + ran, "%zu of their %zu exceptions arrived", caught - 1000, ran);

    ran = 0;
    run(fill);
    catching<std::runtime_error>(gc_collect);
    for (int i = 0; i < 200; i++)
        catching<std::runtime_error>(collect_deeper);
    CHECK(ran >= 99, "%zu of 100 finalizers ran, all but one from deeper in the stack", ran);

    caught = 0;
    gc_event_listener_set(throwing_listener, NULL);
    for (int i = 0; i < 100; i++)
        catching<std::runtime_error>(gc_collect);
    gc_event_listener_set(NULL, NULL);
    CHECK(caught == 100, "%zu of 100 exceptions of the listener arrived", caught);

    caught = 0;
    for (int i = 0; i < 100; i++) {
        catching<std::runtime_error>(block);
        gc_collect();
    }
    CHECK(caught == 100, "%zu of 100 exceptions out of gc_blocking arrived", caught);
    CHECK(gc_malloc(1000) != NULL, "no memory at the end");
    return 0;
}
