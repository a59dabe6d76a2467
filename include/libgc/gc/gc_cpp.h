// gc_cpp.h -- collected objects in C++.
//
// SPDX-License-Identifier: MIT OR Apache-2.0
//
//   struct Node : gc { ... };              new Node is collected
//   struct File : gc_cleanup { ... };      and its destructor runs before
//   new (GC) Other                         an object of any type, collected; its destructor does not run
//   new (GC, function, word) Other         and this function runs before, called with the object and the word
//
// GC may also be PointerFreeGC: not searched for pointers; or NoGC: searched, and lives until it is deleted; or, with
// GC_ATOMIC_UNCOLLECTABLE, PointerFreeNoGC.  delete ends any of them at once.
//
// Other objects come from operator new as always; linked with -lgccpp, that is NoGC.  A program that is not links with -lgctba
// for GC_throw_bad_alloc, or defines GC_INCLUDE_NEW.
//
//   GC_NAMESPACE            all names are in the namespace boehmgc
//   GC_NAME_CONFLICT        the name GC is left out: UseGC means the same
//   GC_NEW_ABORTS_ON_OOM    without memory the process ends; else std::bad_alloc is thrown
//   GC_NO_FINALIZATION      no destructors and functions run
#ifndef GC_CPP_H
#define GC_CPP_H

#include "gc.h"

#ifdef GC_NAMESPACE
#define GC_NS_QUALIFY(T) boehmgc::T
#else
#define GC_NS_QUALIFY(T) T
#endif

#define GC_cdecl GC_CALLBACK

// Arrays, and operator delete for a constructor that throws.
#if !defined(GC_NO_OPERATOR_NEW_ARRAY) && !defined(GC_OPERATOR_NEW_ARRAY)
#define GC_OPERATOR_NEW_ARRAY
#endif
#define GC_PLACEMENT_DELETE

#if defined(GC_NEW_ABORTS_ON_OOM) || defined(_LIBCPP_NO_EXCEPTIONS)
#define GC_OP_NEW_OOM_CHECK(obj) \
    do { \
        if (!(obj)) { \
            GC_abort_on_oom(); \
        } \
    } while (0)
#elif defined(GC_INCLUDE_NEW)
#include <new>
#define GC_OP_NEW_OOM_CHECK(obj) \
    do { \
        if (!(obj)) { \
            throw std::bad_alloc(); \
        } \
    } while (0)
#else
// Of libgccpp.so.1 and libgctba.so.1.
GC_API void GC_CALL GC_throw_bad_alloc();
#define GC_OP_NEW_OOM_CHECK(obj) \
    do { \
        if (!(obj)) { \
            GC_throw_bad_alloc(); \
        } \
    } while (0)
#endif

#ifdef GC_NAMESPACE
namespace boehmgc {
#endif

enum GCPlacement {
    UseGC,
#ifndef GC_NAME_CONFLICT
    GC = UseGC,
#endif
    NoGC,
    PointerFreeGC
#ifdef GC_ATOMIC_UNCOLLECTABLE
    ,
    PointerFreeNoGC
#endif
};

class gc {
public:
    inline void *operator new(size_t size);
    inline void *operator new(size_t size, GCPlacement gcp);
    inline void *operator new(size_t size, void *p) GC_NOEXCEPT;
    inline void operator delete(void *obj) GC_NOEXCEPT;
    inline void operator delete(void *obj, GCPlacement) GC_NOEXCEPT;
    inline void operator delete(void *, void *) GC_NOEXCEPT;
#ifdef GC_OPERATOR_NEW_ARRAY
    inline void *operator new[](size_t size);
    inline void *operator new[](size_t size, GCPlacement gcp);
    inline void *operator new[](size_t size, void *p) GC_NOEXCEPT;
    inline void operator delete[](void *obj) GC_NOEXCEPT;
    inline void operator delete[](void *obj, GCPlacement) GC_NOEXCEPT;
    inline void operator delete[](void *, void *) GC_NOEXCEPT;
#endif
};

// Objects of a cycle of these are never collected: which destructor would be the first?
class gc_cleanup : virtual public gc {
public:
    inline gc_cleanup();
    inline virtual ~gc_cleanup();

private:
    // Runs the destructor of the one that lies so many bytes from the start of the object.
    inline static void GC_CALLBACK cleanup(void *obj, void *distance);
};

extern "C" {
typedef void(GC_CALLBACK *GCCleanUpFunc)(void *obj, void *clientData);
}

#ifdef GC_NAMESPACE
}
#endif

inline void *operator new(size_t size, GC_NS_QUALIFY(GCPlacement) gcp, GC_NS_QUALIFY(GCCleanUpFunc) cleanup = 0,
                          void *clientData = 0);
inline void operator delete(void *obj, GC_NS_QUALIFY(GCPlacement), GC_NS_QUALIFY(GCCleanUpFunc), void *) GC_NOEXCEPT;
#ifdef GC_OPERATOR_NEW_ARRAY
inline void *operator new[](size_t size, GC_NS_QUALIFY(GCPlacement) gcp, GC_NS_QUALIFY(GCCleanUpFunc) cleanup = 0,
                            void *clientData = 0);
#endif

inline void *operator new(size_t size, GC_NS_QUALIFY(GCPlacement) gcp, GC_NS_QUALIFY(GCCleanUpFunc) cleanup,
                          void *clientData) {
    void *obj;
    if (gcp == GC_NS_QUALIFY(UseGC)) {
        obj = GC_MALLOC(size);
    } else if (gcp == GC_NS_QUALIFY(PointerFreeGC)) {
        obj = GC_MALLOC_ATOMIC(size);
#ifdef GC_ATOMIC_UNCOLLECTABLE
    } else if (gcp == GC_NS_QUALIFY(PointerFreeNoGC)) {
        obj = GC_MALLOC_ATOMIC_UNCOLLECTABLE(size);
#endif
    } else {
        obj = GC_MALLOC_UNCOLLECTABLE(size);
    }
    GC_OP_NEW_OOM_CHECK(obj);
#ifndef GC_NO_FINALIZATION
    if (gcp == GC_NS_QUALIFY(UseGC) && cleanup != 0) {
        GC_REGISTER_FINALIZER_IGNORE_SELF(obj, cleanup, clientData, 0, 0);
    }
#else
    (void)cleanup;
    (void)clientData;
#endif
    return obj;
}

// For a constructor that throws.
inline void operator delete(void *obj, GC_NS_QUALIFY(GCPlacement), GC_NS_QUALIFY(GCCleanUpFunc), void *) GC_NOEXCEPT {
    GC_FREE(obj);
}

#ifdef GC_OPERATOR_NEW_ARRAY
inline void *operator new[](size_t size, GC_NS_QUALIFY(GCPlacement) gcp, GC_NS_QUALIFY(GCCleanUpFunc) cleanup,
                            void *clientData) {
    return ::operator new(size, gcp, cleanup, clientData);
}
#endif

#ifdef GC_NAMESPACE
namespace boehmgc {
#endif

inline void *gc::operator new(size_t size) {
    return ::operator new(size, UseGC, 0, 0);
}
inline void *gc::operator new(size_t size, GCPlacement gcp) {
    return ::operator new(size, gcp, 0, 0);
}
inline void *gc::operator new(size_t, void *p) GC_NOEXCEPT {
    return p;
}
inline void gc::operator delete(void *obj) GC_NOEXCEPT {
    GC_FREE(obj);
}
inline void gc::operator delete(void *obj, GCPlacement) GC_NOEXCEPT {
    GC_FREE(obj);
}
inline void gc::operator delete(void *, void *) GC_NOEXCEPT {}

#ifdef GC_OPERATOR_NEW_ARRAY
inline void *gc::operator new[](size_t size) {
    return ::operator new(size, UseGC, 0, 0);
}
inline void *gc::operator new[](size_t size, GCPlacement gcp) {
    return ::operator new(size, gcp, 0, 0);
}
inline void *gc::operator new[](size_t, void *p) GC_NOEXCEPT {
    return p;
}
inline void gc::operator delete[](void *obj) GC_NOEXCEPT {
    GC_FREE(obj);
}
inline void gc::operator delete[](void *obj, GCPlacement) GC_NOEXCEPT {
    GC_FREE(obj);
}
inline void gc::operator delete[](void *, void *) GC_NOEXCEPT {}
#endif

inline void GC_CALLBACK gc_cleanup::cleanup(void *obj, void *distance) {
    char *place = static_cast<char *>(obj) + reinterpret_cast<ptrdiff_t>(distance);
    reinterpret_cast<gc_cleanup *>(place)->~gc_cleanup();
}

// One that is not in the heap is destroyed as others are.  An object that has a finalizer keeps it: it contains this one, or
// was allocated with a function.
inline gc_cleanup::gc_cleanup() {
#ifndef GC_NO_FINALIZATION
    char *place = reinterpret_cast<char *>(this);
    char *base = static_cast<char *>(GC_base(place));
    if (base != 0) {
        GC_finalization_proc former = 0;
        void *word = 0;
        GC_register_finalizer_ignore_self(base, &gc_cleanup::cleanup, reinterpret_cast<void *>(place - base), &former,
                                          &word);
        if (former != 0) {
            GC_register_finalizer_ignore_self(base, former, word, 0, 0);
        }
    }
#else
    (void)&gc_cleanup::cleanup;
#endif
}

inline gc_cleanup::~gc_cleanup() {
#ifndef GC_NO_FINALIZATION
    void *base = GC_base(this);
    if (base != 0) {
        GC_register_finalizer_ignore_self(base, 0, 0, 0, 0);
    }
#endif
}

#ifdef GC_NAMESPACE
}
#endif

#endif
