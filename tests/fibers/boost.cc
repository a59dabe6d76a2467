// Boost.Context's fibers as gleaner's: parked with their only address of an object on stacks from malloc and from mmap with
// a page that cannot be touched, resumed, ended, and unwound half way by their destructors.
//
//     boost FIBERS

#include <gleaner.h>

#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

namespace context = boost::context;

enum { STACK_BYTES = 64 << 10, STEPS = 3 };

#define EXPECT(condition)                                                      \
    do {                                                                       \
        if (!(condition)) {                                                    \
            std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                      \
        }                                                                      \
    } while (0)

struct object {
    std::size_t number, complement;
};

static std::size_t unwound, checked;

// Holds the only address of its object.
struct holder {
    object *held;
    gc_weak *cell;

    explicit holder(std::size_t number) : held(static_cast<object *>(gc_malloc(sizeof(object))))
    {
        held->number = number;
        held->complement = ~number;
        cell = gc_weak_register(held, GC_WEAK_SHORT);
        EXPECT(cell != nullptr);
    }
    void check(std::size_t number)
    {
        EXPECT(gc_weak_get(cell) == held && held->number == number && held->complement == ~number);
        checked++;
    }
    ~holder()
    {
        EXPECT(gc_weak_get(cell) == held);
        gc_weak_unregister(cell);
        unwound++;
    }
};

// One of Boost's fibers, and what gleaner calls it. Its stack is told to gleaner as Boost has allocated it.
class coroutine {
    context::fiber there, back;
    gc_fiber *handle = nullptr, *resumer = nullptr;
    std::size_t number;

    template <typename Allocator> struct told {
        Allocator allocator;
        coroutine *owner;

        context::stack_context allocate()
        {
            context::stack_context stack = allocator.allocate();
            char *low = static_cast<char *>(stack.sp) - stack.size;
            owner->handle = gc_fiber_new(low, stack.size, nullptr, nullptr, GC_FIBER_ROOT);
            EXPECT(owner->handle != nullptr);
            return stack;
        }
        void deallocate(context::stack_context &stack)
        {
            gc_fiber_free(owner->handle);
            allocator.deallocate(stack);
        }
    };

    static void go_there(void *self)
    {
        auto *c = static_cast<coroutine *>(self);
        c->there = std::move(c->there).resume();
    }
    static void go_back(void *self)
    {
        auto *c = static_cast<coroutine *>(self);
        c->back = std::move(c->back).resume();
    }
    void yield() { gc_fiber_switch(resumer, go_back, this); }

    void body()
    {
        holder one(number);
        for (int i = 0; i < STEPS; i++) {
            yield();
            one.check(number);
        }
    }

  public:
    bool is_over = false;

    template <typename Allocator> coroutine(std::size_t own_number, Allocator allocator) : number(own_number)
    {
        there = context::fiber(std::allocator_arg, told<Allocator>{allocator, this}, [this](context::fiber &&from) {
            back = std::move(from);
            body();
            is_over = true;
            // For the last time; the destructor unwinds what is left.
            yield();
            return std::move(back);
        });
    }
    void resume()
    {
        resumer = gc_fiber_current();
        gc_fiber_switch(handle, go_there, this);
    }
};

template <typename Allocator> static void walk(std::size_t count)
{
    std::vector<std::unique_ptr<coroutine>> all;
    for (std::size_t i = 0; i < count; i++)
        all.emplace_back(new coroutine(i, Allocator(STACK_BYTES)));
    for (int step = 0; step <= STEPS; step++) {
        for (auto &c : all)
            c->resume();
        for (std::size_t i = 0; i < count; i++)
            EXPECT(gc_malloc(sizeof(object)) != nullptr);
        gc_collect();
        if (step == 1)
            all.resize(count / 2); // Boost unwinds the others on their own stacks.
    }
    for (auto &c : all)
        EXPECT(c->is_over);
}

int main(int argc, char **argv)
{
    std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000;
    walk<context::fixedsize_stack>(count);
    walk<context::protected_fixedsize_stack>(count);
    EXPECT(unwound == 2 * count);
    EXPECT(checked == 2 * (count / 2 * STEPS + (count - count / 2) * 1));
    gc_collect();
    std::printf("boost: fibers=%zu checked=%zu collections=%lu\n", 2 * count, checked, gc_collections());
    return 0;
}
