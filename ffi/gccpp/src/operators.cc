// operator new and delete.
#include <cstddef>

extern "C" {
// Of libgc.so.1.
void *GC_malloc_uncollectable(std::size_t bytes);
void GC_free(void *p);

[[noreturn]] void gleaner_throw_bad_alloc();

// What GC_oom_fn returns or throws is the program's business; without memory it returns nothing.
void *gleaner_new(std::size_t bytes) {
    void *object = GC_malloc_uncollectable(bytes);
    if (object == nullptr) {
        gleaner_throw_bad_alloc();
    }
    return object;
}

// The size, if there is one, is not needed.
void gleaner_delete(void *object) {
    GC_free(object);
}
}
