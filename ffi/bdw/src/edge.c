/* The edge of the functions of gc.h: everything that calls a function of the program's, and the functions that the
 * program finds in our variables when it has set none.
 *
 * A callback may throw, longjmp, call pthread_exit or be cancelled.  None of that may pass through a Rust frame.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* GC_oom_fn: there is no memory. */
void *gleaner_bdw_no_memory(size_t bytes) {
    (void)bytes;
    return NULL;
}

/* GC_push_other_roots: all stacks are roots by themselves. */
void gleaner_bdw_push_nothing(void) {
}

/* GC_on_abort: the message, then the end; without a message only what is to be done before an exit, nothing. */
void gleaner_bdw_abort(const char *message) {
    if (message != NULL)
        (void)!write(2, message, strlen(message)), (void)!write(2, "\n", 1);
}

/* What the checks of pointers call when one has failed. */
void gleaner_bdw_not_same_object(void *p, void *q) {
    fprintf(stderr, "GC_same_obj: %p and %p are not in the same object\n", p, q);
    abort();
}

void gleaner_bdw_not_valid_displacement(void *p) {
    fprintf(stderr, "GC_is_valid_displacement: %p does not point to the start of an object, nor a registered displacement behind one\n", p);
    abort();
}

void gleaner_bdw_not_visible(void *p) {
    fprintf(stderr, "GC_is_visible: %p does not lie where the collector looks for pointers\n", p);
    abort();
}
