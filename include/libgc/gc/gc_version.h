/* gc_version.h -- the version of bdwgc that these headers and libgc.so.1 speak.  Included by gc.h.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef GC_VERSION_MAJOR
#define GC_VERSION_MAJOR 8
#define GC_VERSION_MINOR 2
#define GC_VERSION_MICRO 2
#elif GC_VERSION_MAJOR != 8 || GC_VERSION_MINOR != 2 || GC_VERSION_MICRO != 2
#error "GC_VERSION_MAJOR, _MINOR and _MICRO were defined as another version than these headers': 8.2.2"
#endif
