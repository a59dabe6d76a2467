/* C++ exceptions on fibers: thrown and caught within one, and thrown by a jump that has come back, which unwinds the fiber
 * through gc_fiber_switch. */
#include "fibers.h"

#include <stdexcept>

enum { STACK_BYTES = 64 << 10 };

struct forced_unwind {};

static struct coroutine coroutine;
static bool shall_unwind;
static size_t unwound;
static gc_weak *cell;

struct counted {
    ~counted() { unwound++; }
};

/* As libraries end a fiber: it is resumed once more, to unwind its stack. */
static void jump_and_perhaps_throw(void *data)
{
    jump_by_hand(data);
    if (shall_unwind)
        throw forced_unwind();
}

static NOINLINE void yield_or_unwind(struct coroutine *c)
{
    struct jump jump = {&c->here, &c->there};
    gc_fiber_switch(static_cast<gc_fiber *>(reveal(c->resumed_from)), jump_and_perhaps_throw, &jump);
}

static NOINLINE void throws(size_t depth)
{
    counted one;
    if (depth == 0)
        throw std::runtime_error("thrown on a fiber");
    throws(depth - 1);
}

static void body(struct coroutine *c, void *)
{
    counted one;
    void *object = gc_malloc(32);
    cell = observe(object);
    for (int i = 0; i < 3; i++) {
        bool caught = false;
        try {
            throws(5);
        } catch (const std::runtime_error &) {
            caught = true;
        }
        CHECK(caught, "nothing was caught");
        yield_from(c);
        gc_collect();
    }
    try {
        counted another;
        yield_or_unwind(c);
        CHECK(false, "not unwound");
    } catch (const forced_unwind &) {
    }
    gc_collect();
    CHECK(gc_weak_get(cell) == object, "what a fiber holds has died while it was unwound");
    use(object);
}

int main()
{
    make_coroutine(&coroutine, &WAYS[0], map(STACK_BYTES), STACK_BYTES, GC_FIBER_ROOT, body, nullptr);
    for (int i = 0; i < 4; i++) {
        resume(&coroutine);
        gc_collect();
    }
    CHECK(unwound == 3 * 6, "%zu destructors have run, not 18", unwound);
    shall_unwind = true;
    resume(&coroutine);
    CHECK(unwound == 3 * 6 + 2, "%zu destructors have run, not 20", unwound);
    CHECK(coroutine.is_over, "the fiber is not over");
    gc_fiber_free(fiber_of(&coroutine));
    return 0;
}
