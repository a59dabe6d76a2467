/* javaxfc.h -- what the runtimes of Java have asked for.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef GC_JAVAXFC_H
#define GC_JAVAXFC_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs all finalizers, also of objects that are reachable. */
GC_API void GC_CALL GC_finalize_all(void);

#ifdef GC_THREADS
#ifndef GC_SUSPEND_THREAD_ID
#define GC_SUSPEND_THREAD_ID void *
#endif
/* Stops a thread until it is told to go on; another than those that the collector knows is left alone.  It is stopped by
 * SIGXCPU, which it must not block. */
GC_API void GC_CALL GC_suspend_thread(GC_SUSPEND_THREAD_ID);
GC_API void GC_CALL GC_resume_thread(GC_SUSPEND_THREAD_ID);
GC_API int GC_CALL GC_is_thread_suspended(GC_SUSPEND_THREAD_ID);
#endif

#ifdef __cplusplus
}
#endif

#endif
