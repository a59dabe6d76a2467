// operator new and delete in all their forms: bad_alloc, nothrow, alignments, sized deletes, and the new handler, which is
// asked until it helps, throws, or is gone.
#include <new>
#include <cstdio>
#include <initializer_list>
#include "family.h"

static const size_t LIMIT = 32 << 20, BIG = 64 << 20;
static const size_t absurd[] = {SIZE_MAX, (size_t)PTRDIFF_MAX + 1, (size_t)1 << 47};
static int asked;
static void *ballast;

struct stop {};

static void gives_ballast_back()
{
    asked++;
    ::operator delete(ballast);
    ballast = nullptr;
}

static void gives_up()
{
    if (++asked == 3)
        std::set_new_handler(nullptr);
}

static void throws_bad_alloc()
{
    asked++;
    throw std::bad_alloc();
}

static void throws_its_own()
{
    asked++;
    throw stop();
}

template <class Exception, class Step> static bool throws(Step step)
{
    try {
        step();
    } catch (const Exception &) {
        return true;
    }
    return false;
}

static void all_forms_serve()
{
    const std::align_val_t at{256};
    for (size_t size : {0, 1, 16, 100, 5000, 300000}) {
        void *p[] = {::operator new(size), ::operator new[](size), ::operator new(size, std::nothrow),
                     ::operator new[](size, std::nothrow)};
        void *q[] = {::operator new(size, at), ::operator new[](size, at), ::operator new(size, at, std::nothrow),
                     ::operator new[](size, at, std::nothrow)};
        for (void *each : p)
            CHECK(each != nullptr && (uintptr_t)each % 16 == 0, "operator new(%zu) gave %p", size, each);
        for (void *each : q)
            CHECK(each != nullptr && (uintptr_t)each % 256 == 0, "aligned operator new(%zu) gave %p", size, each);
        ::operator delete(p[0]);
        ::operator delete[](p[1]);
        ::operator delete(p[2], std::nothrow);
        ::operator delete[](p[3], std::nothrow);
        ::operator delete(q[0], at);
        ::operator delete[](q[1], at);
        ::operator delete(q[2], at, std::nothrow);
        ::operator delete[](q[3], at, std::nothrow);
        ::operator delete(::operator new(size), size);
        ::operator delete[](::operator new[](size), size);
        ::operator delete(::operator new(size, at), size, at);
        ::operator delete[](::operator new[](size, at), size, at);
    }
    ::operator delete(nullptr);
    ::operator delete[](nullptr);
}

static void absurd_sizes_are_refused()
{
    const std::align_val_t at{256}, huge{(size_t)1 << 62};
    for (size_t each : absurd) {
        size_t size = opaque(each);
        CHECK(throws<std::bad_alloc>([=] { use(::operator new(size)); }), "new(%zu)", size);
        CHECK(throws<std::bad_alloc>([=] { use(::operator new[](size)); }), "new[](%zu)", size);
        CHECK(throws<std::bad_alloc>([=] { use(::operator new(size, at)); }), "aligned new(%zu)", size);
        CHECK(throws<std::bad_alloc>([=] { use(::operator new[](size, at)); }), "aligned new[](%zu)", size);
        CHECK(::operator new(size, std::nothrow) == nullptr, "nothrow new(%zu)", size);
        CHECK(::operator new[](size, std::nothrow) == nullptr, "nothrow new[](%zu)", size);
        CHECK(::operator new(size, at, std::nothrow) == nullptr, "aligned nothrow new(%zu)", size);
        CHECK(::operator new[](size, at, std::nothrow) == nullptr, "aligned nothrow new[](%zu)", size);
    }
    CHECK(throws<std::bad_alloc>([=] { use(::operator new(16, huge)); }), "an absurd alignment");
    CHECK(::operator new(16, huge, std::nothrow) == nullptr, "an absurd alignment, nothrow");
}

template <class Step> static void handler_is(void (*handler)(), int times, Step step)
{
    asked = 0;
    std::set_new_handler(handler);
    step();
    CHECK(asked == times, "the new handler was asked %d times, expected %d", asked, times);
    std::set_new_handler(nullptr);
}

static void handlers_are_asked()
{
    const std::align_val_t at{256};
    gc_heap_limit_set(LIMIT);
    handler_is(throws_bad_alloc, 1, [] { CHECK(throws<std::bad_alloc>([] { use(::operator new(BIG)); }), "new"); });
    handler_is(throws_its_own, 1, [] { CHECK(throws<stop>([] { use(::operator new[](BIG)); }), "new[]"); });
    handler_is(gives_up, 3, [] { CHECK(throws<std::bad_alloc>([] { use(::operator new(BIG)); }), "new"); });
    // A nothrow new asks before it gives up as well, and catches what the handler throws.
    handler_is(throws_bad_alloc, 2, [] { CHECK(::operator new(BIG, std::nothrow) == nullptr && ::operator new[](BIG, std::nothrow) == nullptr, "nothrow"); });
    handler_is(throws_bad_alloc, 1, [=] { CHECK(::operator new(BIG, at, std::nothrow) == nullptr, "aligned nothrow"); });

    for (bool nothrow : {false, true}) {
        ballast = ::operator new(LIMIT / 2);
        handler_is(gives_ballast_back, 1, [=] {
            void *p = nothrow ? ::operator new(LIMIT * 3 / 4, std::nothrow) : ::operator new(LIMIT * 3 / 4);
            CHECK(p != nullptr && ballast == nullptr, "nothing after the handler gave memory back");
            ::operator delete(p);
        });
    }
    gc_heap_limit_set(0);
}

int main()
{
    all_forms_serve();
    absurd_sizes_are_refused();
    handlers_are_asked();
    return 0;
}
