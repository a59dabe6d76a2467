/* GC_oom_fn: its word is the result, and it may jump out of any allocation. */
#include "check.h"
#include <setjmp.h>

/* More than the address space; not a constant, which a compiler would warn of. */
static volatile size_t absurd = (size_t)1 << 60, all = (size_t)-1;

static jmp_buf out;
static size_t asked;
static char reserve[64];

static void *give(size_t bytes) {
    asked = bytes;
    return reserve;
}

static void *jump(size_t bytes) {
    asked = bytes;
    longjmp(out, 1);
}

static void *volatile list[1000000];

/* What an allocation returns, to a compiler that does not know that it was one. */
static void *volatile result;
#define GIVES_RESERVE(allocation) (result = (allocation), result == reserve)

int main(void) {
    GC_INIT();
    CHECK(GC_malloc(absurd) == NULL && GC_malloc_atomic(all) == NULL, "there is no memory");
    GC_set_oom_fn(give);
    CHECK(GC_get_oom_fn() == give, "the function");
    CHECK(GIVES_RESERVE(GC_malloc(absurd)) && asked == absurd, "the function's word");
    CHECK(GIVES_RESERVE(GC_malloc_ignore_off_page(absurd)), "ignore_off_page");
    CHECK(GIVES_RESERVE(GC_realloc(GC_malloc(8), absurd)), "realloc");
    GC_set_oom_fn(jump);
    asked = 0;
    for (volatile int i = 0; i < 3; i++) {
        if (setjmp(out) == 0) {
            GC_malloc(absurd);
            CHECK(0, "no jump");
        }
        CHECK(asked == absurd, "asked for %zu", asked);
    }
    GC_set_max_heap_size(64 << 20);
    static volatile size_t count;
    if (setjmp(out) == 0) {
        for (count = 0; count < 1000000; count++)
            list[count] = GC_malloc(1000);
        CHECK(0, "the limit is not kept");
    }
    CHECK(count > 20000 && count < 70000, "the limit came after %zu", (size_t)count);
    for (int i = 0; i < 1000000; i++)
        list[i] = NULL;
    GC_gcollect();
    CHECK(GC_malloc(1000) != NULL, "there is memory again");
    return 0;
}
