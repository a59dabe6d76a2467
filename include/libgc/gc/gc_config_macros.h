/* gc_config_macros.h -- what gc.h learns from the compiler and from the program's macros.  Included by gc.h.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A program defines GC_THREADS before it includes gc.h if it has threads.  The macros below may be defined before too.
 */
#ifndef GC_CONFIG_MACROS_H
#define GC_CONFIG_MACROS_H

#if !defined(__linux__) || !defined(__x86_64__) || !defined(__LP64__)
#error "These headers describe libgc.so.1 for Linux on x86-64, with pointers of 64 bits"
#endif

#include <features.h>
#include <stddef.h>

/* Whether the compiler is gcc of at least this version, or says so. */
#ifdef __GNUC__
#define GC_GNUC_PREREQ(major, minor) (__GNUC__ > (major) || (__GNUC__ == (major) && __GNUC_MINOR__ >= (minor)))
#else
#define GC_GNUC_PREREQ(major, minor) 0
#endif

/* ---- Threads ---------------------------------------------------------------------------------------------------- */

/* Names that programs have used for GC_THREADS, and for the linker's way to redirect. */
#if defined(LINUX_THREADS) && !defined(GC_LINUX_THREADS)
#define GC_LINUX_THREADS
#endif
#if defined(GC_LINUX_THREADS) && !defined(GC_THREADS)
#define GC_THREADS
#endif
#if defined(USE_LD_WRAP) && !defined(GC_USE_LD_WRAP)
#define GC_USE_LD_WRAP
#endif

#undef GC_PTHREADS
#ifdef GC_THREADS
#define GC_PTHREADS
#ifndef GC_LINUX_THREADS
#define GC_LINUX_THREADS
#endif
#ifndef _REENTRANT
#define _REENTRANT 1
#endif
#ifndef GC_HAVE_PTHREAD_EXIT
#define GC_HAVE_PTHREAD_EXIT
#ifdef __GNUC__
#define GC_PTHREAD_EXIT_ATTRIBUTE __attribute__((__noreturn__))
#else
#define GC_PTHREAD_EXIT_ATTRIBUTE
#endif
#endif
#endif

/* ---- Linkage and attributes ------------------------------------------------------------------------------------- */

#define __GC

#ifndef GC_API
#define GC_API extern
#endif
#ifndef GC_CALL
#define GC_CALL
#endif
#ifndef GC_CALLBACK
#define GC_CALLBACK GC_CALL
#endif

/* What the function returns is pointed to by nothing else; not so if the program's GC_oom_fn returns what is. */
#ifndef GC_ATTR_MALLOC
#if defined(__GNUC__) && !defined(GC_OOM_FUNC_RETURNS_ALIAS)
#define GC_ATTR_MALLOC __attribute__((__malloc__))
#else
#define GC_ATTR_MALLOC
#endif
#endif

/* Which argument is the size of the result; which two are multiplied. */
#ifndef GC_ATTR_ALLOC_SIZE
#undef GC_ATTR_CALLOC_SIZE
#ifdef __GNUC__
#define GC_ATTR_ALLOC_SIZE(argnum) __attribute__((__alloc_size__(argnum)))
#define GC_ATTR_CALLOC_SIZE(n, s) __attribute__((__alloc_size__(n, s)))
#else
#define GC_ATTR_ALLOC_SIZE(argnum)
#endif
#endif
#ifndef GC_ATTR_CALLOC_SIZE
#define GC_ATTR_CALLOC_SIZE(n, s)
#endif

#ifndef GC_ATTR_NONNULL
#ifdef __GNUC__
#define GC_ATTR_NONNULL(argnum) __attribute__((__nonnull__(argnum)))
#else
#define GC_ATTR_NONNULL(argnum)
#endif
#endif

#ifndef GC_ATTR_CONST
#ifdef __GNUC__
#define GC_ATTR_CONST __attribute__((__const__))
#else
#define GC_ATTR_CONST
#endif
#endif

/* There is something newer for it: for a variable, a function. */
#ifndef GC_ATTR_DEPRECATED
#ifdef __GNUC__
#define GC_ATTR_DEPRECATED __attribute__((__deprecated__))
#else
#define GC_ATTR_DEPRECATED
#endif
#endif

/* The library's functions for debugging take a file and a line, and no return address. */
#define GC_CAN_SAVE_CALL_STACKS
#if !defined(GC_MISSING_EXECINFO_H) && !defined(GC_HAVE_BUILTIN_BACKTRACE)
#define GC_HAVE_BUILTIN_BACKTRACE
#endif

#ifdef __cplusplus
/* Of the constructors that make one allocator out of another. */
#ifndef GC_ATTR_EXPLICIT
#if __cplusplus >= 201103L && !defined(__clang__)
#define GC_ATTR_EXPLICIT explicit
#else
#define GC_ATTR_EXPLICIT
#endif
#endif
#ifndef GC_NOEXCEPT
#if __cplusplus >= 201103L
#define GC_NOEXCEPT noexcept
#else
#define GC_NOEXCEPT throw()
#endif
#endif
#endif

#endif
