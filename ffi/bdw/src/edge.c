/* The edge of the functions of gc.h: everything that calls a function of the program's, and the functions that the
 * program finds in our variables when it has set none.
 *
 * A callback may throw, longjmp, call pthread_exit or be cancelled.  None of that may pass through a Rust frame, so the
 * Rust side returns first, outside its gate and with no lock held, and the call is made here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A safe region: where the registers lie that were spilled before it, and the frame that it is below. */
struct region {
    const void *sp;
    const void *frame;
};

/* What a dump says. */
struct figures {
    uint64_t collections, bytes_heap, bytes_in_use, live_objects, threads, finalizers_pending;
};

/* The Rust side.  Each returns with every gate open. */
void *gleaner_bdw_take(size_t bytes, size_t align, unsigned kind);
void *gleaner_bdw_resize(void *p, size_t bytes);
int gleaner_bdw_collect_now(void);
void gleaner_bdw_collect_if_due(void);
void gleaner_bdw_release(void);
int gleaner_bdw_releases_when_asked(void);
int (*gleaner_bdw_stop_function(void))(void);
int gleaner_bdw_region_begin(const void *frame);
void gleaner_bdw_region_end(void);
int gleaner_bdw_region_leave(struct region *left);
void gleaner_bdw_region_return(const struct region *left);
void gleaner_bdw_thread_started(void);
void gleaner_bdw_forget_thread(void);
void *gleaner_bdw_end_of_made_stack(void);
int gleaner_bdw_are_in_one_object(const void *p, const void *q);
int gleaner_bdw_is_searched(const void *p);
int gleaner_bdw_log_descriptor(void);
int gleaner_bdw_is_valid_displacement(const void *p);
void gleaner_bdw_check_debug_objects(void);
void gleaner_bdw_report_leaks(void);
void gleaner_bdw_figures(struct figures *figures);
void gleaner_edge_callouts(void);
void gleaner_bdw_finalizers(void);
void *gleaner_call_in_region(void *(*fn)(void *), void *data, void *unused);

/* The functions and variables of gc.h that are used here. */
extern void *(*GC_oom_fn)(size_t bytes);
extern void (*GC_on_abort)(const char *message);
extern char *GC_stackbottom;
extern void (*GC_same_obj_print_proc)(void *p, void *q);
extern void (*GC_is_valid_displacement_print_proc)(void *p);
extern void (*GC_is_visible_print_proc)(void *p);
void *GC_malloc_atomic(size_t bytes);
void *GC_malloc_uncollectable(size_t bytes);
void GC_free(void *p);
void GC_alloc_lock(void);
void GC_alloc_unlock(void);
int GC_get_suspend_signal(void);

/* Their results, and the kinds of the engine. */
enum { SUCCESS, DUPLICATE, NO_MEMORY };
enum { KIND_SCANNED = 1 };

struct stack_base {
    void *mem_base;
};

/* What waits to be called on this thread: finalizers, and what the program wants to hear of. */
void gleaner_bdw_callouts(void) {
    gleaner_edge_callouts();
    gleaner_bdw_report_leaks();
    gleaner_bdw_finalizers();
}

/* ---- Allocating ---- */

/* The end of every allocation: callbacks, then memory, or the handler's word. */
void *gleaner_bdw_finish(void *p, size_t bytes, int error) {
    gleaner_bdw_callouts();
    errno = error;
    return p != NULL ? p : GC_oom_fn(bytes);
}

void *gleaner_bdw_allocate(size_t bytes, size_t align, unsigned kind) {
    int error = errno;
    return gleaner_bdw_finish(gleaner_bdw_take(bytes, align, kind), bytes, error);
}

void *gleaner_bdw_reallocate(void *p, size_t bytes) {
    int error = errno;
    return gleaner_bdw_finish(gleaner_bdw_resize(p, bytes), bytes, error);
}

int gleaner_bdw_posix_memalign(void **result, size_t align, size_t bytes) {
    void *p = gleaner_bdw_allocate(bytes, align, KIND_SCANNED);
    if (p == NULL)
        return ENOMEM;
    *result = p;
    return 0;
}

char *gleaner_bdw_strndup(const char *s, size_t most) {
    size_t length;
    char *copy;
    if (s == NULL)
        return NULL;
    length = strnlen(s, most);
    copy = GC_malloc_atomic(length + 1);
    if (copy == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    memcpy(copy, s, length);
    copy[length] = '\0';
    return copy;
}

/* GC_oom_fn: there is no memory. */
void *gleaner_bdw_no_memory(size_t bytes) {
    (void)bytes;
    return NULL;
}

/* ---- Collecting ---- */

/* Whether this thread collects because the program has asked for it: a child of a fork has no other that does. */
static __thread int is_asking;

int gleaner_bdw_is_asking(void) {
    return is_asking;
}

static int collect_now(void) {
    int has_run, was_asking = is_asking;
    is_asking = 1;
    has_run = gleaner_bdw_collect_now();
    is_asking = was_asking;
    return has_run;
}

void gleaner_bdw_gcollect(void) {
    int error = errno;
    collect_now();
    gleaner_bdw_check_debug_objects();
    if (gleaner_bdw_releases_when_asked())
        gleaner_bdw_release();
    gleaner_bdw_callouts();
    errno = error;
}

void gleaner_bdw_gcollect_and_unmap(void) {
    gleaner_bdw_gcollect();
    gleaner_bdw_release();
}

/* A collection here is over before anything could ask it to stop, so the program is asked once, before it. */
int gleaner_bdw_try_to_collect(int (*stop)(void)) {
    int error = errno, has_run;
    if (stop == NULL)
        stop = gleaner_bdw_stop_function();
    if (stop != NULL && stop())
        return 0;
    has_run = collect_now();
    gleaner_bdw_callouts();
    errno = error;
    return has_run;
}

/* 0: no work is left. */
int gleaner_bdw_collect_a_little(void) {
    int error = errno;
    gleaner_bdw_collect_if_due();
    gleaner_bdw_callouts();
    errno = error;
    return 0;
}

/* GC_push_other_roots: all stacks are roots by themselves. */
void gleaner_bdw_push_nothing(void) {
}

/* ---- The allocation lock ---- */

void *gleaner_bdw_call_with_alloc_lock(void *(*fn)(void *), void *data) {
    void *result;
    GC_alloc_lock();
    result = fn(data);
    GC_alloc_unlock();
    return result;
}

/* ---- Threads ---- */

/* Whether the program counts this thread as registered. */
static __thread int is_registered;

struct start {
    void *(*function)(void *);
    void *argument;
};

/* Threads that have been created and have no record yet. */
_Atomic(unsigned) gleaner_bdw_threads_starting;

static void *run_thread(void *data) {
    struct start start = *(struct start *)data;
    is_registered = 1;
    gleaner_bdw_thread_started();
    atomic_fetch_sub(&gleaner_bdw_threads_starting, 1);
    GC_free(data);
    return start.function(start.argument);
}

int gleaner_bdw_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *),
                               void *argument) {
    int error;
    struct start *start = GC_malloc_uncollectable(sizeof *start);
    if (start == NULL)
        return ENOMEM;
    start->function = function;
    start->argument = argument;
    atomic_fetch_add(&gleaner_bdw_threads_starting, 1);
    error = pthread_create(thread, attributes, run_thread, start);
    if (error != 0) {
        atomic_fetch_sub(&gleaner_bdw_threads_starting, 1);
        GC_free(start);
    }
    return error;
}

/* The signal that stops threads stays deliverable. */
int gleaner_bdw_pthread_sigmask(int how, const sigset_t *set, sigset_t *old) {
    sigset_t without;
    if (set != NULL && (how == SIG_BLOCK || how == SIG_SETMASK)) {
        without = *set;
        sigdelset(&without, GC_get_suspend_signal());
        set = &without;
    }
    return pthread_sigmask(how, set, old);
}

int gleaner_bdw_register_my_thread(const struct stack_base *base) {
    (void)base;
    if (is_registered)
        return DUPLICATE;
    is_registered = 1;
    gleaner_bdw_thread_started();
    return SUCCESS;
}

int gleaner_bdw_unregister_my_thread(void) {
    if (is_registered) {
        is_registered = 0;
        gleaner_bdw_forget_thread();
    }
    return SUCCESS;
}

int gleaner_bdw_thread_is_registered(void) {
    return is_registered;
}

/* The calling thread has called GC_init, and counts as registered. */
void gleaner_bdw_note_first_thread(void) {
    is_registered = 1;
}

extern void *__libc_stack_end;

void *gleaner_bdw_end_of_main_stack(void) {
    return __libc_stack_end;
}

/* Whether this thread stands on the stack that the kernel has made for the process.  A thread of the C library's does not,
 * even if it has forked, and is the only one of its process. */
static int is_initial(void) {
    return gleaner_bdw_end_of_made_stack() == NULL && getpid() == gettid();
}

int gleaner_bdw_get_stack_base(struct stack_base *base) {
    pthread_attr_t attributes;
    void *low;
    size_t bytes;
    int error;
    base->mem_base = gleaner_bdw_end_of_made_stack();
    if (base->mem_base != NULL)
        return SUCCESS;
    if (is_initial()) {
        base->mem_base = __libc_stack_end;
        return SUCCESS;
    }
    error = pthread_getattr_np(pthread_self(), &attributes);
    if (error == 0) {
        error = pthread_attr_getstack(&attributes, &low, &bytes);
        pthread_attr_destroy(&attributes);
    }
    /* As bdwgc does: a stack that cannot be found is taken to begin here. */
    base->mem_base = error == 0 ? (char *)low + bytes : __builtin_frame_address(0);
    return SUCCESS;
}

void *gleaner_bdw_call_with_stack_base(void *(*fn)(struct stack_base *, void *), void *data) {
    struct stack_base base = {__builtin_frame_address(0)};
    void *result = fn(&base, data);
    __asm__ volatile("" : : "r"(&base) : "memory");
    return result;
}

/* What the program has said where this thread's stack ends, unless it is the initial one's. */
static __thread void *stackbottom;

/* A handle stands for a thread; there is nothing to be done with it but to pass it to GC_set_stackbottom. */
void *gleaner_bdw_get_my_stackbottom(struct stack_base *base) {
    if (is_initial())
        base->mem_base = GC_stackbottom;
    else if (stackbottom != NULL)
        base->mem_base = stackbottom;
    else
        gleaner_bdw_get_stack_base(base);
    return (void *)pthread_self();
}

/* Of another thread it would change nothing but what that thread is told. */
void gleaner_bdw_set_stackbottom(void *thread, const struct stack_base *base) {
    if (thread != NULL && thread != (void *)pthread_self())
        return;
    if (is_initial())
        GC_stackbottom = base->mem_base;
    else
        stackbottom = base->mem_base;
}

/* Runs `fn` with this thread's registers on the stack and its stack pointer published. */
void *gleaner_bdw_do_blocking(void *(*fn)(void *), void *data) {
    void *result;
    __builtin_unwind_init();
    if (!gleaner_bdw_region_begin(__builtin_frame_address(0)))
        return fn(data);
    result = gleaner_call_in_region(fn, data, NULL);
    gleaner_bdw_region_end();
    return result;
}

/* Runs `fn` outside the region that the thread is in, and goes back into it. */
void *gleaner_bdw_call_with_gc_active(void *(*fn)(void *), void *data) {
    struct region left;
    void *result;
    int was_blocked = gleaner_bdw_region_leave(&left);
    result = fn(data);
    if (was_blocked)
        gleaner_bdw_region_return(&left);
    return result;
}

/* ---- What is said ---- */

const char *gleaner_bdw_variable(const char *name) {
    return getenv(name);
}

/* The default warn_proc: there is nothing to warn of. */
void gleaner_bdw_ignore_warning(char *format, uintptr_t argument) {
    (void)format;
    (void)argument;
}

/* GC_on_abort: the message; without one the program is about to exit. */
void gleaner_bdw_abort(const char *message) {
    if (message != NULL)
        fprintf(stderr, "%s\n", message);
}

/* The end of the process, with a message. */
__attribute__((noreturn)) void gleaner_bdw_die(const char *message) {
    GC_on_abort(message);
    abort();
}

void gleaner_bdw_abort_on_oom(void) {
    gleaner_bdw_die("Insufficient memory for the allocation");
}

__attribute__((format(printf, 1, 2))) void gleaner_bdw_printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stdout, format, arguments);
    va_end(arguments);
    fflush(stdout);
}

__attribute__((format(printf, 1, 2))) void gleaner_bdw_err_printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
}

__attribute__((format(printf, 1, 2))) void gleaner_bdw_log_printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vdprintf(gleaner_bdw_log_descriptor(), format, arguments);
    va_end(arguments);
}

/* What the checks of pointers call when one has failed. */
void gleaner_bdw_not_same_object(void *p, void *q) {
    fprintf(stderr, "%p and %p are not in the same object\n", p, q);
    gleaner_bdw_die("GC_same_obj test failed");
}

void gleaner_bdw_not_valid_displacement(void *p) {
    fprintf(stderr, "%p does not point to a valid place in an object\n", p);
    gleaner_bdw_die("GC_is_valid_displacement test failed");
}

void gleaner_bdw_not_visible(void *p) {
    fprintf(stderr, "%p does not lie where pointers are looked for\n", p);
    gleaner_bdw_die("GC_is_visible test failed");
}

/* ---- Checks and dumps ---- */

void *gleaner_bdw_same_obj(void *p, void *q) {
    if (!gleaner_bdw_are_in_one_object(p, q))
        GC_same_obj_print_proc(p, q);
    return p;
}

void *gleaner_bdw_pre_incr(void **p, ptrdiff_t distance) {
    void *before = *p;
    return *p = gleaner_bdw_same_obj((char *)before + distance, before);
}

void *gleaner_bdw_post_incr(void **p, ptrdiff_t distance) {
    void *before = *p;
    *p = gleaner_bdw_same_obj((char *)before + distance, before);
    return before;
}

void *gleaner_bdw_checked_displacement(void *p) {
    if (!gleaner_bdw_is_valid_displacement(p))
        GC_is_valid_displacement_print_proc(p);
    return p;
}

/* Whether an address lies in a writable segment of a library. */
static int is_static(struct dl_phdr_info *library, size_t size, void *address) {
    (void)size;
    for (int i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &library->dlpi_phdr[i];
        uintptr_t offset = (uintptr_t)address - library->dlpi_addr - segment->p_vaddr;
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) != 0 && offset < segment->p_memsz)
            return 1;
    }
    return 0;
}

void *gleaner_bdw_is_visible(void *p) {
    struct stack_base base;
    gleaner_bdw_get_stack_base(&base);
    int on_stack = (char *)p >= (char *)__builtin_frame_address(0) && (char *)p < (char *)base.mem_base;
    if (!on_stack && !gleaner_bdw_is_searched(p) && !dl_iterate_phdr(is_static, p))
        GC_is_visible_print_proc(p);
    return p;
}

void gleaner_bdw_dump_named(const char *name) {
    struct figures figures;
    gleaner_bdw_figures(&figures);
    if (name != NULL)
        printf("***GC Dump %s\n", name);
    printf("collections %lu, heap %lu bytes, in use %lu bytes, %lu objects live at the last collection, %lu threads\n",
           figures.collections, figures.bytes_heap, figures.bytes_in_use, figures.live_objects, figures.threads);
}

void gleaner_bdw_dump(void) {
    gleaner_bdw_dump_named(NULL);
}

void gleaner_bdw_dump_regions(void) {
    struct figures figures;
    gleaner_bdw_figures(&figures);
    printf("heap %lu bytes, in use %lu bytes\n", figures.bytes_heap, figures.bytes_in_use);
}

void gleaner_bdw_dump_finalization(void) {
    struct figures figures;
    gleaner_bdw_figures(&figures);
    printf("finalizers that wait to run: %lu\n", figures.finalizers_pending);
}
