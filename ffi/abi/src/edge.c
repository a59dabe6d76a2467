/* The edge: everything that calls a function of the program's.
 *
 * A callback may throw, longjmp, call pthread_exit or be cancelled.  None of that may pass through a Rust frame, so the
 * Rust side returns first, outside its gate and with no lock held, and says what is to be called; the call is made
 * here.  These functions hold nothing that would have to be undone.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum callout_kind { NOTHING, FINALIZER, EVENT, WARNING };

struct callout {
    void (*finalizer)(void *object, void *data);
    void *object;
    void *data;
    void (*listener)(const void *event, void *data);
    uint64_t event[8];
    void (*warn)(const char *message, void *data);
    char message[128];
    uintptr_t guard; /* tells while the callback runs that this frame is there; then 0, for a thread that began it on a
                        fiber which another thread went on with */
};

/* The Rust side.  Each returns with every gate open. */
void *gleaner_slow_allocate(size_t bytes, size_t align, unsigned kind);
void *gleaner_allocate(size_t bytes, size_t align, unsigned kind);
void *gleaner_allocate_typed(size_t bytes, uintptr_t layout);
void *gleaner_allocate_weak(size_t bytes, unsigned kind);
unsigned gleaner_cache_class(const void *cache, size_t *bytes);
void gleaner_cache_check_typed(const void *cache, size_t bytes);
void *gleaner_allocate_ephemeron(void *key, void *value);
int gleaner_resize(void **p, size_t bytes, const char *function);
enum callout_kind gleaner_next_callout(struct callout *callout, const void *frame);
int gleaner_next_finalizer(struct callout *callout, const void *frame);
void gleaner_callout_over(enum callout_kind kind);
void gleaner_call_listener(void (*listener)(const void *, void *), const void *event, void *data);
void gleaner_call_finalizer(void (*finalizer)(void *, void *), void *object, void *data);
void gleaner_collect(void);
void *(*gleaner_oom_handler(void **data))(size_t size, void *data);
int gleaner_region_begin(const void *frame);
void gleaner_region_end(void);
void *gleaner_call_in_region(void *(*fn)(void *), void *data, void *unused);

/* A kind by its number in the engine. */
enum { KIND_POINTER_FREE = 2 };

/* Calls what waits to be called on this thread: a warning, listeners, and finalizers unless one is running. */
void gleaner_edge_callouts(void) {
    struct callout callout;
    enum callout_kind kind;
    while ((kind = gleaner_next_callout(&callout, __builtin_frame_address(0))) != NOTHING) {
        if (kind == WARNING) {
            callout.warn(callout.message, callout.data);
        } else if (kind == EVENT) {
            gleaner_call_listener(callout.listener, callout.event, callout.data);
        } else {
            gleaner_call_finalizer(callout.finalizer, callout.object, callout.data);
        }
        callout.guard = 0;
        gleaner_callout_over(kind);
    }
}

/* The end of every allocation of gleaner.h: callbacks, then memory, or the handler's word, or NULL and ENOMEM. */
static void *finish(void *p, size_t bytes, int error) {
    gleaner_edge_callouts();
    if (p == NULL) {
        void *data;
        void *(*handler)(size_t, void *) = gleaner_oom_handler(&data);
        if (handler != NULL)
            return handler(bytes, data);
        error = ENOMEM;
    }
    errno = error;
    return p;
}

void *gleaner_edge_allocate(size_t bytes, size_t align, unsigned kind) {
    int error = errno;
    return finish(gleaner_allocate(bytes, align, kind), bytes, error);
}

void *gleaner_edge_allocate_typed(size_t bytes, uintptr_t layout) {
    int error = errno;
    return finish(gleaner_allocate_typed(bytes, layout), bytes, error);
}

void *gleaner_edge_allocate_weak(size_t bytes, unsigned kind) {
    int error = errno;
    return finish(gleaner_allocate_weak(bytes, kind), bytes, error);
}

void *gleaner_edge_cache_malloc(const void *cache) {
    size_t bytes;
    unsigned kind = gleaner_cache_class(cache, &bytes);
    return gleaner_edge_allocate(bytes, 1, kind);
}

void *gleaner_edge_cache_malloc_typed(const void *cache, size_t bytes, uintptr_t layout) {
    gleaner_cache_check_typed(cache, bytes);
    return gleaner_edge_allocate_typed(bytes, layout);
}

void *gleaner_edge_allocate_ephemeron(void *key, void *value) {
    int error = errno;
    return finish(gleaner_allocate_ephemeron(key, value), 2 * sizeof(void *), error);
}

char *gleaner_edge_strndup(const char *s, size_t n) {
    size_t length = strnlen(s, n);
    char *copy = gleaner_slow_allocate(length + 1, 1, KIND_POINTER_FREE);
    if (copy != NULL) {
        memcpy(copy, s, length);
        copy[length] = '\0';
    }
    return copy;
}

void *gleaner_edge_realloc(void *p, size_t bytes) {
    int error = errno;
    if (gleaner_resize(&p, bytes, "gc_realloc"))
        return finish(p, bytes, error);
    return finish(NULL, bytes, error);
}

void gleaner_edge_collect(void) {
    int error = errno;
    gleaner_collect();
    gleaner_edge_callouts();
    errno = error;
}

size_t gleaner_edge_finalizers_run(void) {
    struct callout callout;
    size_t count = 0;
    while (gleaner_next_finalizer(&callout, __builtin_frame_address(0))) {
        gleaner_call_finalizer(callout.finalizer, callout.object, callout.data);
        callout.guard = 0;
        gleaner_callout_over(FINALIZER);
        count++;
    }
    return count;
}

/* Runs `fn` with this thread's registers on the stack and its stack pointer published.  Inside another region the outer
 * one is enough. */
void *gleaner_edge_blocking(void *(*fn)(void *), void *data) {
    void *result;
    __builtin_unwind_init();
    if (!gleaner_region_begin(__builtin_frame_address(0)))
        return fn(data);
    result = gleaner_call_in_region(fn, data, NULL);
    gleaner_region_end();
    return result;
}
