/* memory.h: what the interpreter asks of its collector. Two headers answer, each by a few lines a function.
 *
 *     memory_open()                    once, before the first thread that uses it
 *     memory_thread_open / _close      each thread, before and after it has an interpreter
 *     scanned(size)                    zeroed, searched for pointers
 *     plain(size)                      without pointers, not zeroed
 *     plain_resize(p, size)            the same, grown or shrunk
 *     node_new(size)                   searched as a struct node
 *     pool_new(size, without_pointers) where objects of one size come from, for the thread that asks
 *     pool_take(pool, size)            one of them; without pointers it is not zeroed
 *     weak_new(count)                  words that keep nothing, and are 0 when the object of their value has died
 *     ephemerons_new(count)            entries whose values are kept as long as the keys, and which then are 0
 *     weak_set(place, v)               sets such a word or key
 *     finalizer_set(object, fn, data)  fn(object, data) when nothing else reaches the object
 *     collect, collections, heap_bytes, heap_limit_set
 *     blocking(fn, data)               runs fn, which waits and touches no object
 *     gc_fiber_...                     as in gleaner.h, if fibers are there; else making one is an error
 *
 * Memory that cannot be had is oom_raise's affair, which leaves by longjmp: none of these returns NULL.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include "interp.h"

/* An entry of a table. */
struct entry { value key, value, reserved; };

#ifdef ON_LIBGC
#include "on_libgc.h"
#else
#include "on_gleaner.h"
#endif

#endif
