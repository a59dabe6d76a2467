/* gc_tiny_fl.h -- the sizes of objects on free lists that a program keeps itself.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Objects come in whole granules.  Lists are kept in an array: the list at index i has objects of i granules, and the one
 * at index 0 those that a request for nothing gets, of one granule.  These numbers are part of the binary interface.
 */
#ifndef GC_TINY_FL_H
#define GC_TINY_FL_H

#ifndef GC_GRANULE_BYTES
#define GC_GRANULE_BYTES 16
#define GC_GRANULE_WORDS 2
#endif

/* How many lists an array has. */
#ifndef GC_TINY_FREELISTS
#define GC_TINY_FREELISTS 25
#endif

#define GC_WORDS_TO_GRANULES(n) ((n) / GC_GRANULE_WORDS)
#define GC_RAW_BYTES_FROM_INDEX(i) ((i) * GC_GRANULE_BYTES)

#endif
