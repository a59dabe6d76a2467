/* The edge of the malloc door: what calls out, or is called out of, beside the functions of gleaner.h.
 *
 * The rules are those of the edge of gleaner.h, on which this stands: no Rust frame and no lock lies between an
 * allocation's caller and a function of the program's.
 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <threads.h>

/* The edge of gleaner.h, and the Rust side.  Each returns with every gate open. */
void gleaner_edge_callouts(void);
void *gleaner_allocate(size_t bytes, size_t align, unsigned kind);
void *gleaner_allocate_zeroed(size_t bytes);
int gleaner_resize(void **p, size_t bytes, const char *function);
void gleaner_thread_started(void);
void gleaner_expect_thread(void);
size_t gleaner_stack_below(const void *frame);
int gleaner_may_call_out(const void *site);
void gleaner_free(void *p);
int gleaner_is_elsewhere(void);
int gleaner_is_verifying(void);
size_t gleaner_guarded_bytes(size_t bytes, const void *site);
void gleaner_note_birth(void *p, size_t bytes, const void *site, int is_guarded);

/* malloc's slow path, wherever the engine is. */
void *gleaner_slow_malloc(size_t bytes, size_t align);
int (*gleaner_real_pthread_create(void))(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int (*gleaner_real_thrd_create(void))(thrd_t *, thrd_start_t, void *);
void *(*gleaner_new_handler(void))(void);
void (*gleaner_throw_bad_alloc(void))(void);
void *(*gleaner_next_nothrow_new(void))(size_t, const void *);
void *(*gleaner_next_aligned_nothrow_new(void))(size_t, size_t, const void *);

/* Kinds by their numbers in the engine. */
enum { KIND_MALLOC = 0, KIND_UNCOLLECTABLE = 3 };

enum { PAGE_BYTES = 4096 };

/* With collect=verify it is remembered who allocates what, and some objects get pages of their own. */
static void *allocate_noting(size_t bytes, size_t align, int is_zeroed, const void *site) {
    size_t guarded = align <= PAGE_BYTES ? gleaner_guarded_bytes(bytes, site) : 0;
    void *p;
    if (guarded != 0) {
        p = gleaner_allocate(guarded, PAGE_BYTES, KIND_MALLOC);
        if (p != NULL && is_zeroed)
            memset(p, 0, guarded);
    } else {
        p = is_zeroed ? gleaner_allocate_zeroed(bytes) : gleaner_allocate(bytes, align, KIND_MALLOC);
    }
    if (p != NULL)
        gleaner_note_birth(p, bytes, site, guarded != 0);
    return p;
}

/* What waits to be called on this thread, unless it is the C library or the loader that allocates: they may hold locks that
 * what is called takes in another order, and are not to be left by a jump. */
static void call_out(const void *site) {
    if (gleaner_may_call_out(site))
        gleaner_edge_callouts();
}

/* malloc and its family: no handler, only NULL and ENOMEM.  Who calls malloc is found at the return address: it comes here
 * by jumps. */
static void *allocate(size_t bytes, size_t align, const void *site) {
    int error = errno;
    void *p =
        gleaner_is_verifying() ? allocate_noting(bytes, align, 0, site) : gleaner_allocate(bytes, align, KIND_MALLOC);
    call_out(site);
    errno = p != NULL ? error : ENOMEM;
    return p;
}

void *gleaner_edge_malloc(size_t bytes, size_t align) {
    return allocate(bytes, align, __builtin_return_address(0));
}

void *gleaner_edge_calloc(size_t bytes) {
    int error = errno;
    void *p = gleaner_is_verifying() ? allocate_noting(bytes, 1, 1, __builtin_return_address(0))
                                     : gleaner_allocate_zeroed(bytes);
    call_out(__builtin_return_address(0));
    errno = p != NULL ? error : ENOMEM;
    return p;
}

void *gleaner_edge_malloc_resize(void *p, size_t bytes) {
    int error = errno;
    int resized = gleaner_resize(&p, bytes, "realloc");
    if (resized && gleaner_is_verifying())
        gleaner_note_birth(p, bytes, __builtin_return_address(0), -1);
    call_out(__builtin_return_address(0));
    errno = resized ? error : ENOMEM;
    return resized ? p : NULL;
}

/* malloc's slow path for the operators.  Where there is something to verify the engine is here. */
static void *slow_malloc(size_t bytes, size_t align, const void *site) {
    return gleaner_is_verifying() ? allocate(bytes, align, site) : gleaner_slow_malloc(bytes, align);
}

/* operator new: the new handler is asked until it gives up by throwing, or there is none (C++ [new.delete.single]). */
void *gleaner_edge_new(size_t bytes, size_t align) {
    void *p;
    while ((p = slow_malloc(bytes, align, __builtin_return_address(0))) == NULL) {
        void *(*handler)(void) = gleaner_new_handler();
        if (handler == NULL) {
            gleaner_throw_bad_alloc()();
            break;
        }
        handler();
    }
    return p;
}

/* operator new (nothrow): with a new handler, which may throw, the C++ library's own operator asks ours and catches. */
void *gleaner_edge_new_nothrow(size_t bytes, size_t align, const void *tag) {
    void *(*next)(size_t, const void *);
    void *p = slow_malloc(bytes, align, __builtin_return_address(0));
    if (p != NULL || gleaner_new_handler() == NULL)
        return p;
    next = gleaner_next_nothrow_new();
    return next != NULL ? next(bytes, tag) : NULL;
}

void *gleaner_edge_new_aligned_nothrow(size_t bytes, size_t align, const void *tag) {
    void *(*next)(size_t, size_t, const void *);
    void *p = slow_malloc(bytes, align, __builtin_return_address(0));
    if (p != NULL || gleaner_new_handler() == NULL)
        return p;
    next = gleaner_next_aligned_nothrow_new();
    return next != NULL ? next(bytes, align, tag) : NULL;
}

/* A thread's routine, POSIX's or C's. */
struct thread_start {
    union {
        void *(*posix)(void *);
        int (*c)(void *);
    } routine;
    void *argument;
};

/* The C library puts the stack of a thread that has ended by for another, with up to so much below the stack pointer. */
enum { KEPT_STACK_BYTES = 20 << 10, STACK_RESERVE_BYTES = 4 << 10 };

static __attribute__((noinline)) void clear_stack(size_t bytes) {
    char dead[bytes];
    memset(dead, 0, bytes);
    __asm__ volatile("" : : "r"(dead) : "memory");
}

/* Until then it is a mapping like any other, whose words keep objects: the dead ones should not. */
static void clear_dead_stack(void) {
    size_t below = gleaner_stack_below(__builtin_frame_address(0));
    if (below > KEPT_STACK_BYTES + STACK_RESERVE_BYTES)
        clear_stack(KEPT_STACK_BYTES);
    else if (below > STACK_RESERVE_BYTES)
        clear_stack(below - STACK_RESERVE_BYTES);
}

static struct thread_start begin_thread(struct thread_start *p) {
    struct thread_start start = *p;
    gleaner_thread_started();
    gleaner_free(p);
    return start;
}

static void *start_thread(void *p) {
    struct thread_start start = begin_thread(p);
    void *result = start.routine.posix(start.argument);
    clear_dead_stack();
    return result;
}

static int start_thread_of_c(void *p) {
    struct thread_start start = begin_thread(p);
    int result = start.routine.c(start.argument);
    clear_dead_stack();
    return result;
}

int gleaner_edge_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *),
                                void *argument) {
    struct thread_start *start;
    int error;
    if (gleaner_is_elsewhere())
        return gleaner_real_pthread_create()(thread, attributes, routine, argument);
    start = gleaner_allocate(sizeof *start, 1, KIND_UNCOLLECTABLE);
    if (start == NULL)
        return EAGAIN;
    start->routine.posix = routine;
    start->argument = argument;
    gleaner_expect_thread();
    error = gleaner_real_pthread_create()(thread, attributes, start_thread, start);
    if (error != 0)
        gleaner_free(start);
    return error;
}

int gleaner_edge_thrd_create(thrd_t *thread, thrd_start_t routine, void *argument) {
    int (*real)(thrd_t *, thrd_start_t, void *) = gleaner_real_thrd_create();
    struct thread_start *start;
    int result;
    if (real == NULL)
        return thrd_error;
    if (gleaner_is_elsewhere())
        return real(thread, routine, argument);
    start = gleaner_allocate(sizeof *start, 1, KIND_UNCOLLECTABLE);
    if (start == NULL)
        return thrd_nomem;
    start->routine.c = routine;
    start->argument = argument;
    gleaner_expect_thread();
    result = real(thread, start_thread_of_c, start);
    if (result != thrd_success)
        gleaner_free(start);
    return result;
}
