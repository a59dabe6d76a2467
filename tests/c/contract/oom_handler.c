/* The out-of-memory handler: its result is the allocation's; it may return memory or NULL, free, or jump away. */
#include <setjmp.h>
#include "check.h"

enum { LIMIT = 16 << 20, BIG = 64 << 20 };

static char reserve[128] __attribute__((__aligned__(64)));
static size_t calls, asked;
static jmp_buf out;
static void *ballast;

static void *gives_reserve(size_t size, void *data)
{
    calls++;
    asked = size;
    CHECK(data == &calls, "the handler's data is %p", data);
    return reserve;
}

static void *gives_nothing(size_t size, void *data)
{
    (void)size;
    (void)data;
    calls++;
    return NULL;
}

static void *jumps(size_t size, void *data)
{
    (void)size;
    (void)data;
    calls++;
    longjmp(out, 1);
}

static void *frees_and_tries_again(size_t size, void *data)
{
    (void)data;
    calls++;
    gc_free(ballast);
    ballast = NULL;
    return gc_malloc(size);
}

static void all_functions(void)
{
    const unsigned long bits = 1;
    void *p = gc_malloc(32);
    calls = 0;
    CHECK(known_at_run_time(gc_malloc(BIG)) == reserve && asked == BIG, "gc_malloc, asked for %zu", asked);
    CHECK(known_at_run_time(gc_malloc_atomic(BIG)) == reserve, "gc_malloc_atomic");
    CHECK(known_at_run_time(gc_malloc_uncollectable(BIG)) == reserve, "gc_malloc_uncollectable");
    CHECK(known_at_run_time(gc_calloc(4, BIG / 4)) == reserve && asked == BIG, "gc_calloc, asked for %zu", asked);
    CHECK(known_at_run_time(gc_memalign(64, BIG)) == reserve, "gc_memalign");
    CHECK(known_at_run_time(gc_malloc_typed(BIG, gc_layout_from_bitmap(&bits, 1))) == reserve, "gc_malloc_typed");
    memcpy(p, "still here", 11);
    CHECK(known_at_run_time(gc_realloc(p, BIG)) == reserve && asked == BIG, "gc_realloc, asked for %zu", asked);
    CHECK(gc_base(p) == p && memcmp(p, "still here", 11) == 0, "the object of a failed gc_realloc is damaged");
    CHECK(calls == 7, "the handler was called %zu times for 7 allocations", calls);
}

static void jump_many_times(void)
{
    volatile int i;
    for (i = 0; i < 1000; i++) {
        if (setjmp(out) == 0) {
            use(gc_malloc(BIG));
            CHECK(0, "gc_malloc came back from a handler that jumps");
        }
        CHECK(gc_malloc(100) != NULL, "no memory after jump %d", i);
    }
}

int main(void)
{
    gc_heap_limit_set(LIMIT);
    gc_oom_handler_set(gives_reserve, &calls);
    all_functions();

    calls = 0;
    gc_oom_handler_set(gives_nothing, NULL);
    CHECK(gc_malloc(BIG) == NULL && calls == 1, "called %zu times", calls);

    calls = 0;
    gc_oom_handler_set(jumps, NULL);
    jump_many_times();
    CHECK(calls == 1000, "called %zu times for 1,000 allocations", calls);
    gc_collect();

    calls = 0;
    ballast = gc_malloc_uncollectable(LIMIT / 2);
    CHECK(ballast != NULL, "no ballast");
    gc_oom_handler_set(frees_and_tries_again, NULL);
    CHECK(gc_malloc(LIMIT / 2 + LIMIT / 4) != NULL && calls == 1, "called %zu times", calls);

    gc_oom_handler_set(NULL, NULL);
    CHECK_REFUSED(ENOMEM, gc_malloc(BIG));
    return 0;
}
