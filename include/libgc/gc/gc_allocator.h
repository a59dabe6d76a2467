// gc_allocator.h -- allocators for the containers of C++.
//
// SPDX-License-Identifier: MIT OR Apache-2.0
//
//   gc_allocator<T>                   collected; not searched for pointers if GC_DECLARE_PTRFREE(T) says so
//   gc_allocator_ignore_off_page<T>   the same for big arrays, to whose beginning there is always a pointer
//   traceable_allocator<T>            searched for pointers, and freed by the container: for one that lies where the
//                                     collector does not look
//
// Without memory std::bad_alloc is thrown; with GC_NEW_ABORTS_ON_OOM, and where there are no exceptions, the process ends.
#ifndef GC_ALLOCATOR_H
#define GC_ALLOCATOR_H

#include "gc.h"

#include <new>
#if __cplusplus >= 201103L
#include <utility>
#endif

#if defined(GC_NEW_ABORTS_ON_OOM) || defined(_LIBCPP_NO_EXCEPTIONS) || !defined(__EXCEPTIONS)
#define GC_ALLOCATOR_THROW_OR_ABORT() GC_abort_on_oom()
#else
#define GC_ALLOCATOR_THROW_OR_ABORT() throw std::bad_alloc()
#endif

struct GC_true_type {};
struct GC_false_type {};

// Whether a type has pointers: it may have, unless it was declared.
template <class GC_tp> struct GC_type_traits {
    GC_false_type GC_is_ptr_free;
};

#define GC_DECLARE_PTRFREE(T) \
    template <> struct GC_type_traits<T> { \
        GC_true_type GC_is_ptr_free; \
    }

GC_DECLARE_PTRFREE(char);
GC_DECLARE_PTRFREE(signed char);
GC_DECLARE_PTRFREE(unsigned char);
GC_DECLARE_PTRFREE(signed short);
GC_DECLARE_PTRFREE(unsigned short);
GC_DECLARE_PTRFREE(signed int);
GC_DECLARE_PTRFREE(unsigned int);
GC_DECLARE_PTRFREE(signed long);
GC_DECLARE_PTRFREE(unsigned long);
GC_DECLARE_PTRFREE(float);
GC_DECLARE_PTRFREE(double);
GC_DECLARE_PTRFREE(long double);

// n bytes that are searched, or not.
inline void *GC_selective_alloc(size_t n, GC_false_type, bool ignore_off_page) {
    return ignore_off_page ? GC_MALLOC_IGNORE_OFF_PAGE(n) : GC_MALLOC(n);
}

inline void *GC_selective_alloc(size_t n, GC_true_type, bool ignore_off_page) {
    return ignore_off_page ? GC_MALLOC_ATOMIC_IGNORE_OFF_PAGE(n) : GC_MALLOC_ATOMIC(n);
}

// What all of them are.
template <class GC_Tp> struct GC_allocator_base {
    typedef size_t size_type;
    typedef ptrdiff_t difference_type;
    typedef GC_Tp *pointer;
    typedef const GC_Tp *const_pointer;
    typedef GC_Tp &reference;
    typedef const GC_Tp &const_reference;
    typedef GC_Tp value_type;

    pointer address(reference GC_x) const {
        return &GC_x;
    }
    const_pointer address(const_reference GC_x) const {
        return &GC_x;
    }

    void deallocate(pointer GC_p, size_type) GC_NOEXCEPT {
        GC_FREE(GC_p);
    }

    size_type max_size() const GC_NOEXCEPT {
        return size_t(-1) / sizeof(GC_Tp);
    }

#if __cplusplus >= 201103L
    template <class GC_Up, class... GC_Args> void construct(GC_Up *GC_p, GC_Args &&...GC_args) {
        ::new (static_cast<void *>(GC_p)) GC_Up(std::forward<GC_Args>(GC_args)...);
    }
    template <class GC_Up> void destroy(GC_Up *GC_p) {
        GC_p->~GC_Up();
    }
#else
    void construct(pointer GC_p, const GC_Tp &GC_value) {
        ::new (static_cast<void *>(GC_p)) GC_Tp(GC_value);
    }
    void destroy(pointer GC_p) {
        GC_p->~GC_Tp();
    }
#endif

protected:
    // The bytes of GC_n elements; more than there can be if that is no number.
    size_type GC_bytes(size_type GC_n) const {
        return GC_n <= max_size() ? GC_n * sizeof(GC_Tp) : size_t(-1) / 2;
    }

    static GC_Tp *GC_checked(void *obj) {
        if (obj == 0) {
            GC_ALLOCATOR_THROW_OR_ABORT();
        }
        return static_cast<GC_Tp *>(obj);
    }
};

template <> struct GC_allocator_base<void> {
    typedef size_t size_type;
    typedef ptrdiff_t difference_type;
    typedef void *pointer;
    typedef const void *const_pointer;
    typedef void value_type;
};

// An allocator: its allocation is obj, of GC_n elements. All of a template are equal.
#define GC_ALLOCATOR(name, obj)                                                                        \
    template <class GC_Tp> class name : public GC_allocator_base<GC_Tp> {                              \
    public:                                                                                            \
        template <class GC_Tp1> struct rebind {                                                        \
            typedef name<GC_Tp1> other;                                                                \
        };                                                                                             \
        name() GC_NOEXCEPT {}                                                                          \
        name(const name &) GC_NOEXCEPT : GC_allocator_base<GC_Tp>() {}                                 \
        template <class GC_Tp1> GC_ATTR_EXPLICIT name(const name<GC_Tp1> &) GC_NOEXCEPT {}             \
        ~name() GC_NOEXCEPT {}                                                                         \
        name &operator=(const name &) GC_NOEXCEPT {                                                    \
            return *this;                                                                              \
        }                                                                                              \
        GC_Tp *allocate(size_t GC_n, const void * = 0) {                                               \
            return this->GC_checked(obj);                                                              \
        }                                                                                              \
    };                                                                                                 \
    template <> class name<void> : public GC_allocator_base<void> {                                    \
    public:                                                                                            \
        template <class GC_Tp1> struct rebind {                                                        \
            typedef name<GC_Tp1> other;                                                                \
        };                                                                                             \
    };                                                                                                 \
    template <class GC_T1, class GC_T2> inline bool operator==(const name<GC_T1> &, const name<GC_T2> &) GC_NOEXCEPT { \
        return true;                                                                                   \
    }                                                                                                  \
    template <class GC_T1, class GC_T2> inline bool operator!=(const name<GC_T1> &, const name<GC_T2> &) GC_NOEXCEPT { \
        return false;                                                                                  \
    }

GC_ALLOCATOR(gc_allocator, GC_selective_alloc(this->GC_bytes(GC_n), GC_type_traits<GC_Tp>().GC_is_ptr_free, false))
GC_ALLOCATOR(gc_allocator_ignore_off_page,
             GC_selective_alloc(this->GC_bytes(GC_n), GC_type_traits<GC_Tp>().GC_is_ptr_free, true))
GC_ALLOCATOR(traceable_allocator, GC_MALLOC_UNCOLLECTABLE(this->GC_bytes(GC_n)))

#undef GC_ALLOCATOR

#endif
