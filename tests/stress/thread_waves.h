/* What the waves of threads share with their C++ twin. */
#ifndef THREAD_WAVES_H
#define THREAD_WAVES_H

#include "door.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Checks and frees a chain of the waves' length; counted as one destructor. */
void chain_end(struct cell *chain, uint64_t seed, const char *where);

/* Only the twin has it: gives the chain to the calling thread's thread_local object. */
void thread_local_keep(struct cell *chain, uint64_t seed);

#ifdef __cplusplus
}
#endif

#endif
