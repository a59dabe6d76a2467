// GC_oom_fn throws, through every way to allocate.
#include "check.h"
#include <new>

static void *fail(size_t) {
    throw std::bad_alloc();
}

template <typename Work> static void throws(const char *name, Work work) {
    try {
        work();
    } catch (const std::bad_alloc &) {
        return;
    }
    CHECK(false, "%s does not throw", name);
}

int main() {
    const size_t absurd = size_t(1) << 60;
    GC_INIT();
    GC_set_oom_fn(fail);
    throws("GC_malloc", [=] { GC_malloc(absurd); });
    throws("GC_malloc_atomic", [=] { GC_malloc_atomic(absurd); });
    throws("GC_malloc_uncollectable", [=] { GC_malloc_uncollectable(absurd); });
    throws("GC_malloc_ignore_off_page", [=] { GC_malloc_ignore_off_page(absurd); });
    throws("GC_realloc", [=] { GC_realloc(GC_malloc(1), absurd); });
    return 0;
}
