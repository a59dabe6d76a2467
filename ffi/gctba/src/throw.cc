// What the inline allocators of gc_allocator.h and gc_cpp.h call when there is no memory.
#include <new>

extern "C" [[noreturn]] void gleaner_throw_bad_alloc() {
    throw std::bad_alloc();
}
