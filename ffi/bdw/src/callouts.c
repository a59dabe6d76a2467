/* Finalizers, and allocations of other forms: the part of the edge that goes with the files on kinds and finalizers.
 *
 * As in edge.c, no callback is called with a Rust frame below it.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

struct due {
    void (*finalizer)(void *object, void *data);
    void *object;
    void *data;
    uintptr_t guard; /* tells while the finalizer runs that this frame is there */
};

struct closure {
    void (*finalizer)(void *object, void *data);
    void *data;
};

enum { RUN = 1, NOTIFY };
enum { FINALIZER = 1, KIND_SCANNED = 1, HEADER_BYTES = 32 };

extern void *(*GC_oom_fn)(size_t bytes);
extern void (*GC_finalizer_notifier)(void);
extern void (*GC_on_heap_resize)(uintptr_t bytes);
uintptr_t gleaner_bdw_new_heap_bytes(void);
int gleaner_bdw_next_finalizer(struct due *due, const void *frame, int may_nest);
int gleaner_bdw_finalizers_wanted(void);
size_t gleaner_bdw_queue_all(void);
void gleaner_callout_over(int kind);
void gleaner_call_finalizer(void (*finalizer)(void *, void *), void *object, void *data);
void *gleaner_bdw_finish(void *p, size_t bytes, int error);
void gleaner_bdw_callouts(void);
int gleaner_bdw_take_chain(size_t bytes, int kind, void **result);
size_t gleaner_bdw_chained_bytes(size_t bytes);
void *gleaner_bdw_take_typed(size_t bytes, uintptr_t descriptor);
void *gleaner_bdw_take_array(size_t count, size_t bytes, uintptr_t descriptor);

static int run_finalizers(int may_nest) {
    struct due due;
    int count = 0;
    while (gleaner_bdw_next_finalizer(&due, __builtin_frame_address(0), may_nest)) {
        gleaner_call_finalizer(due.finalizer, due.object, due.data);
        due.guard = 0;
        gleaner_callout_over(FINALIZER);
        count++;
    }
    return count;
}

/* After an allocation, or a collection that was asked for: the program is told of a heap of another size; finalizers run, unless this thread runs one, or the program
 * is told that they wait. */
void gleaner_bdw_finalizers(void) {
    if (GC_on_heap_resize != NULL) {
        void (*listener)(uintptr_t) = GC_on_heap_resize;
        uintptr_t bytes = gleaner_bdw_new_heap_bytes();
        if (bytes != 0)
            listener(bytes);
    }
    switch (gleaner_bdw_finalizers_wanted()) {
    case RUN:
        run_finalizers(0);
        break;
    case NOTIFY: {
        void (*notifier)(void) = GC_finalizer_notifier;
        if (notifier != NULL)
            notifier();
        break;
    }
    }
}

int gleaner_bdw_invoke_finalizers(void) {
    return run_finalizers(1);
}

void gleaner_bdw_finalize_all(void) {
    while (gleaner_bdw_queue_all() != 0)
        run_finalizers(1);
    run_finalizers(1);
}

/* The finalizer of an object with a header. */
void gleaner_bdw_finalize_debug(void *object, void *data) {
    const struct closure *closure = data;
    closure->finalizer((char *)object + HEADER_BYTES, closure->data);
}

void gleaner_bdw_generic_malloc_many(size_t bytes, int kind, void **result) {
    int error = errno;
    int has_room = gleaner_bdw_take_chain(bytes, kind, result);
    gleaner_bdw_callouts();
    errno = error;
    if (!has_room) {
        void **object = GC_oom_fn(bytes);
        if (object != NULL)
            *object = NULL;
        *result = object;
    }
}

void *gleaner_bdw_malloc_many(size_t bytes) {
    void *chain;
    gleaner_bdw_generic_malloc_many(gleaner_bdw_chained_bytes(bytes), KIND_SCANNED, &chain);
    return chain;
}

void *gleaner_bdw_malloc_typed(size_t bytes, uintptr_t descriptor) {
    int error = errno;
    return gleaner_bdw_finish(gleaner_bdw_take_typed(bytes, descriptor), bytes, error);
}

/* A pointer to any place in an object keeps it, also here. */
void *gleaner_bdw_malloc_typed_off_page(size_t bytes, uintptr_t descriptor) {
    return gleaner_bdw_malloc_typed(bytes, descriptor);
}

void *gleaner_bdw_calloc_typed(size_t count, size_t bytes, uintptr_t descriptor) {
    int error = errno;
    size_t whole;
    void *object = gleaner_bdw_take_array(count, bytes, descriptor);
    if (__builtin_mul_overflow(count, bytes, &whole))
        whole = SIZE_MAX;
    return gleaner_bdw_finish(object, whole, error);
}
