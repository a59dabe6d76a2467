/* gleaner_inline.h, and so gleaner.h, in one unit with every C header of bdwgc, whose names begin with the same letters:
 * nothing is defined twice.  Compiled with ours before them, and with -DGLEANER_LAST after them. */
#ifndef GLEANER_LAST
#include <gleaner_inline.h>
#endif

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include <gc.h>
#include <gc/gc_backptr.h>
#include <gc/gc_disclaim.h>
#include <gc/gc_gcj.h>
#include <gc/gc_inline.h>
#include <gc/gc_mark.h>
#include <gc/gc_typed.h>
#include <gc/javaxfc.h>

#ifdef GLEANER_LAST
#include <gleaner_inline.h>
#endif

int beside_bdwgc(void);
int beside_bdwgc(void)
{
    return (int)GC_CYCLE_START + (int)GC_EVENT_START;
}
