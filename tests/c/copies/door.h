/* A door as a structure: the functions of gleaner.h and malloc, as some part of the process sees them; and what a process
 * has once for each engine in it. */
#ifndef DOOR_H
#define DOOR_H

#define _GNU_SOURCE
#include "../contract/check.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAMES(X)                                                                                                    \
    X(gc_malloc) X(gc_malloc_atomic) X(gc_malloc_uncollectable) X(gc_calloc) X(gc_realloc) X(gc_memalign)           \
    X(gc_strdup) X(gc_free) X(gc_usable_size) X(gc_base) X(gc_contains) X(gc_layout_from_bitmap) X(gc_malloc_typed) \
    X(gc_kind_new) X(gc_malloc_kind) X(gc_trace_word) X(gc_trace_range) X(gc_init) X(gc_collect) X(gc_release)      \
    X(gc_enable) X(gc_disable) X(gc_collections) X(gc_root_add) X(gc_root_remove) X(gc_pin) X(gc_unpin)             \
    X(gc_thread_register) X(gc_thread_unregister) X(gc_blocking) X(gc_finalizer_set) X(gc_finalizer_clear)          \
    X(gc_finalizers_run) X(gc_weak_register) X(gc_weak_unregister) X(gc_weak_get) X(gc_ephemeron_new)               \
    X(gc_ephemeron_key) X(gc_ephemeron_value) X(gc_heap_limit_set) X(gc_oom_handler_set) X(gc_stats_get)            \
    X(gc_stats_json) X(gc_option_set) X(gc_fiber_new) X(gc_fiber_current) X(gc_fiber_switch) X(gc_fiber_free)

struct door {
#define MEMBER(name) __typeof__(name) *name;
    NAMES(MEMBER)
#undef MEMBER
    void *(*malloc)(size_t);
    void (*free)(void *);
    void (*longjmp)(jmp_buf, int);
};

static __attribute__((unused)) void *symbol(void *handle, const char *name)
{
    void *found = dlsym(handle, name);
    CHECK(found != NULL, "%s: %s", name, dlerror());
    return found;
}

/* Signals with a handler, as the kernel tells it: an engine stops threads by one. 32 and 33 are glibc's. */
static __attribute__((unused)) int stop_handlers(void)
{
    struct {
        uintptr_t handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } action;
    int number, count = 0;
    for (number = 1; number <= 64; number++) {
        CHECK(syscall(SYS_rt_sigaction, number, NULL, &action, sizeof action.mask) == 0, "signal %d", number);
        if (number < 32 || number >= SIGRTMIN)
            count += action.handler != (uintptr_t)SIG_DFL && action.handler != (uintptr_t)SIG_IGN;
    }
    return count;
}

/* Ranges of a quarter of a terabyte and more that nobody may read: reserved for a heap. */
static __attribute__((unused)) int cages(void)
{
    unsigned long start, end;
    char line[512], access[5];
    int count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL, "no list of mappings");
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %4s", &start, &end, access) == 3)
            count += access[0] == '-' && end - start >= 1UL << 38;
    fclose(maps);
    return count;
}

#endif
