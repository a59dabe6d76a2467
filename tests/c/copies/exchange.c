/* Two doors of one process are one heap: what one of them gives, the other knows, keeps, traces and frees.
 *
 *   exchange local|deepbind PLUGIN [LIBRARY]
 *
 * The first door is this program's: its own copy if it was linked with one (STATIC), otherwise what the process has
 * under those names. The second is the plugin's, or that of LIBRARY, asked for by its handle. `deepbind` asks the C library
 * past the malloc door, which takes RTLD_DEEPBIND out.
 */
#include "door.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static struct door first, second;
static struct door *one, *other;

static void door_by_name(struct door *door, void *handle)
{
#define FIND(name) door->name = (__typeof__(door->name))symbol(handle, #name);
    NAMES(FIND)
#undef FIND
    door->longjmp = (void (*)(jmp_buf, int))symbol(handle, "longjmp");
    door->malloc = malloc;
    door->free = free;
}

/* ---- objects ---- */

static char *kept[MANY];

static void objects_are_known_to_both(void)
{
    size_t i;
    for (i = 0; i < MANY; i++) {
        char *a = one->gc_malloc(48), *b = other->gc_base(a + 40);
        CHECK(b == a, "the other door's base of %p is %p", a, b);
        CHECK(other->gc_contains(a) && other->gc_usable_size(a) == one->gc_usable_size(a), "%p is not known", a);
        kept[i] = a;
        memset(a, (int)i, 48);
    }
    other->gc_collect();
    for (i = 0; i < MANY; i++) {
        CHECK(kept[i][0] == (char)i && kept[i][47] == (char)i, "object %zu was lost", i);
        other->gc_free(kept[i]);
        kept[i] = NULL;
    }
}

static void every_kind_of_object_comes_through(void)
{
    static void *object;
    CHECK((object = one->gc_calloc(10, 10)) && other->gc_contains(object), "gc_calloc");
    CHECK((object = one->gc_realloc(object, 5000)) && other->gc_usable_size(object) >= 5000, "gc_realloc");
    object = other->gc_realloc(object, 0);
    CHECK((object = one->gc_memalign(256, 100)) && (uintptr_t)object % 256 == 0 && other->gc_contains(object), "memalign");
    CHECK((object = one->gc_strdup("both")) && strcmp(object, "both") == 0 && other->gc_contains(object), "gc_strdup");
    CHECK((object = one->gc_malloc_atomic(100)) && other->gc_contains(object), "gc_malloc_atomic");
    CHECK((object = one->gc_malloc_uncollectable(100)) && other->gc_contains(object), "gc_malloc_uncollectable");
    other->gc_free(object);
    CHECK((object = one->gc_malloc(3000000)) && other->gc_contains(object), "a large object");
    other->gc_free(object);
    object = other->malloc(100);
    one->free(object);
}

static void malloc_is_one_family(void)
{
    void *object = one->malloc(100);
    if (!other->gc_contains(object)) {
        one->free(object); /* glibc's */
        return;
    }
    CHECK(one->gc_contains(object), "one door knows an object of malloc, and the other does not");
    other->gc_free(object);
    one->free(other->gc_malloc(100));
}

/* ---- what goes and what stays ---- */

/* The malloc door looks for pointers in more places, so a few more stay by accident. */
#define ENOUGH ((size_t)MANY * 9 / 10)

static gc_weak *cells[MANY];
static size_t finalized;

static void finalize(void *object, void *data)
{
    (void)object;
    (void)data;
    finalized++;
}

static void drop(void)
{
    size_t i;
    for (i = 0; i < MANY; i++) {
        void *object = one->gc_malloc(64);
        cells[i] = other->gc_weak_register(object, GC_WEAK_SHORT);
        CHECK(cells[i] != NULL, "no weak cell");
        CHECK(other->gc_finalizer_set(object, finalize, NULL, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
    }
}

static size_t gone(void)
{
    size_t i, n = 0;
    for (i = 0; i < MANY; i++)
        n += one->gc_weak_get(cells[i]) == NULL;
    return n;
}

static void what_is_dropped_goes(void)
{
    unsigned long before = one->gc_collections();
    size_t i;
    finalized = 0;
    run(drop);
    other->gc_collect();
    one->gc_collect();
    other->gc_finalizers_run();
    CHECK(gone() >= ENOUGH && finalized >= ENOUGH, "%zu weak cells and %zu finalizers", gone(), finalized);
    CHECK(finalized <= MANY, "%zu finalizers ran for %d objects", finalized, MANY);
    CHECK(one->gc_collections() == other->gc_collections() && one->gc_collections() >= before + 2,
          "%lu collections by one door, %lu by the other, %lu before", one->gc_collections(), other->gc_collections(), before);
    for (i = 0; i < MANY; i++)
        one->gc_weak_unregister(cells[i]);
}

/* The collectors do not look into files that are mapped to be shared, unless they are told to. */
static void **shared;

static void fill_shared(void)
{
    size_t i;
    for (i = 0; i < MANY; i++) {
        shared[i] = one->gc_malloc(80);
        cells[i] = one->gc_weak_register(shared[i], GC_WEAK_LONG);
    }
}

static void roots_are_of_both(void)
{
    size_t i;
    char name[] = P_tmpdir "/exchange.XXXXXX";
    int file = mkstemp(name);
    CHECK(file >= 0 && ftruncate(file, MANY * sizeof *shared) == 0, "no file %s", name);
    shared = mmap(NULL, MANY * sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(shared != MAP_FAILED, "no memory");
    CHECK(other->gc_root_add(shared, shared + MANY) == 0, "no root");
    run(fill_shared);
    one->gc_collect();
    CHECK(gone() == 0, "%zu objects in a registered range are gone", gone());
    CHECK(one->gc_root_remove(shared, shared + MANY) == 0, "the other door's root is not known");
    other->gc_collect();
    CHECK(gone() >= ENOUGH, "%zu objects are gone with the range", gone());
    for (i = 0; i < MANY; i++)
        other->gc_weak_unregister(cells[i]);
    munmap(shared, MANY * sizeof *shared);
    close(file);
    unlink(name);
}

static size_t traced;

static void trace(void *object, size_t size, gc_tracer *tracer)
{
    (void)size;
    traced++;
    other->gc_trace_word(tracer, *(void **)object);
    one->gc_trace_range(tracer, (void **)object + 1, (void **)object + 2);
}

static void kinds_are_of_both(void)
{
    static gc_kind kind;
    static void **object;
    if (kind == 0)
        kind = other->gc_kind_new(trace);
    CHECK(kind != 0, "no kind");
    object = one->gc_malloc_kind(4 * sizeof *object, kind);
    CHECK(object != NULL, "no object of the other door's kind");
    object[0] = one->gc_strdup("by word");
    object[1] = other->gc_strdup("by range");
    traced = 0;
    one->gc_collect();
    CHECK(traced >= 1, "the trace procedure was not called");
    CHECK(strcmp(object[0], "by word") == 0 && strcmp(object[1], "by range") == 0, "what was traced is lost");
    CHECK(other->gc_pin(object) == 0 && one->gc_unpin(object) == 0, "a pin is not known to the other door");
    CHECK(other->gc_ephemeron_value(one->gc_ephemeron_new(object, kept)) == (void *)kept, "an ephemeron");
}

/* ---- threads, statistics, processes ---- */

static void *in_region(void *data)
{
    return data;
}

static void *churn(void *data)
{
    struct door *door = data;
    char *list = NULL;
    int i;
    for (i = 0; i < 20000; i++) {
        char *next = door->gc_malloc(40);
        *(char **)next = i % 100 ? list : NULL;
        next[39] = (char)(i % 100);
        list = next;
        if (i % 100 == 99) {
            int n;
            for (n = 99; list != NULL; list = *(char **)list, n--)
                CHECK(list[39] == n, "a thread's list is broken at %d", n);
        }
    }
    return door->gc_blocking(in_region, data);
}

static void threads_use_either_while_either_collects(void)
{
    pthread_t threads[4];
    int i;
    for (i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, churn, i % 2 ? one : other) == 0, "no thread");
    for (i = 0; i < 20; i++)
        (i % 2 ? other : one)->gc_collect();
    for (i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

/* A thread that has jumped out of a region runs again, and its whole stack is searched. */
static jmp_buf outside;
static uintptr_t hidden;
static volatile int is_deep, is_collected;

static void *jump_out(void *data)
{
    (void)data;
    other->longjmp(outside, 1);
    return NULL;
}

static void hide_one(void)
{
    void *object = one->gc_malloc(200);
    hidden = hide(object);
    cells[0] = one->gc_weak_register(object, GC_WEAK_SHORT);
}

static void *collect_meanwhile(void *data)
{
    while (!is_deep)
        sched_yield();
    one->gc_collect();
    is_collected = 1;
    return data;
}

static NOINLINE void hold_it_deep_down(void)
{
    void *volatile object[8192];
    object[0] = reveal(hidden);
    is_deep = 1;
    while (!is_collected)
        ;
    CHECK(one->gc_weak_get(cells[0]) == object[0], "an object was lost whose address was below a region that had ended");
}

static void a_jump_out_of_a_region_ends_it(void)
{
    pthread_t thread;
    is_deep = is_collected = 0;
    CHECK(pthread_create(&thread, NULL, collect_meanwhile, NULL) == 0, "no thread");
    one->gc_disable();
    run(hide_one);
    if (setjmp(outside) == 0)
        one->gc_blocking(jump_out, NULL);
    one->gc_enable();
    hold_it_deep_down();
    pthread_join(thread, NULL);
    one->gc_weak_unregister(cells[0]);
}

static void statistics_are_one(void)
{
    gc_stats a, b;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    a.size = b.size = sizeof a;
    CHECK(one->gc_stats_get(&a) == 0 && other->gc_stats_get(&b) == 0, "no statistics");
    CHECK(a.collections == b.collections && a.bytes_heap == b.bytes_heap && a.bytes_heap != 0,
          "%lu bytes of heap by one door, %lu by the other", (unsigned long)a.bytes_heap, (unsigned long)b.bytes_heap);
}

static void a_child_has_one_heap_too(void)
{
    pid_t child = fork();
    int status;
    CHECK(child >= 0, "no child");
    if (child == 0) {
        objects_are_known_to_both();
        what_is_dropped_goes();
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %#x", status);
}

/* ---- fibers ---- */

static ucontext_t fiber_context, own_context;
static gc_fiber *fiber, *own_fiber;
static gc_weak *held_by_fiber;

static void to_fiber(void *unused)
{
    (void)unused;
    swapcontext(&own_context, &fiber_context);
}

static void to_own_stack(void *unused)
{
    (void)unused;
    swapcontext(&fiber_context, &own_context);
}

static void on_fiber(void)
{
    void *object = one->gc_malloc(48);
    held_by_fiber = other->gc_weak_register(object, GC_WEAK_SHORT);
    CHECK(one->gc_fiber_current() == fiber && other->gc_fiber_current() == fiber, "the two doors differ on a fiber");
    other->gc_fiber_switch(own_fiber, to_own_stack, NULL);
    CHECK(one->gc_weak_get(held_by_fiber) == object, "what a fiber of the two doors held has died");
    one->gc_fiber_switch(own_fiber, to_own_stack, NULL);
}

static void fibers_are_known_to_both(void)
{
    enum { STACK_BYTES = 256 << 10 };
    char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stack != MAP_FAILED, "no stack");
    own_fiber = one->gc_fiber_current();
    CHECK(own_fiber != NULL && other->gc_fiber_current() == own_fiber, "the two doors differ on the own stack");
    fiber = one->gc_fiber_new(stack, STACK_BYTES, NULL, NULL, GC_FIBER_ROOT);
    getcontext(&fiber_context);
    fiber_context.uc_stack.ss_sp = stack;
    fiber_context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&fiber_context, on_fiber, 0);
    other->gc_fiber_switch(fiber, to_fiber, NULL);
    one->gc_collect();
    other->gc_collect();
    one->gc_fiber_switch(fiber, to_fiber, NULL);
    other->gc_fiber_free(fiber);
    munmap(stack, STACK_BYTES);
}

static void each_way(struct door *a, struct door *b)
{
    one = a;
    other = b;
    objects_are_known_to_both();
    every_kind_of_object_comes_through();
    malloc_is_one_family();
    what_is_dropped_goes();
    roots_are_of_both();
    kinds_are_of_both();
    threads_use_either_while_either_collects();
    a_jump_out_of_a_region_ends_it();
    statistics_are_one();
    a_child_has_one_heap_too();
    fibers_are_known_to_both();
}

int main(int count, char **arguments)
{
    void (*plugin_door)(struct door *);
    void *(*open)(const char *, int);
    void *plugin;
    int mode;
    CHECK(count >= 3, "exchange local|deepbind PLUGIN [LIBRARY]");
    mode = RTLD_NOW | RTLD_LOCAL | (strcmp(arguments[1], "deepbind") == 0 ? RTLD_DEEPBIND : 0);
#ifdef STATIC
#define SET(name) first.name = name;
    NAMES(SET)
    first.malloc = malloc;
    first.free = free;
    first.longjmp = longjmp;
#else
    door_by_name(&first, RTLD_DEFAULT);
#endif
    *(void **)&open = symbol(dlopen("libc.so.6", RTLD_NOW), "dlopen");
    plugin = open(arguments[2], mode);
    CHECK(plugin != NULL, "%s", dlerror());
    *(void **)&plugin_door = symbol(plugin, "plugin_door");
    plugin_door(&second);
    if (count > 3) {
        void *library = open(arguments[3], mode);
        CHECK(library != NULL, "%s", dlerror());
        door_by_name(&second, library);
    }
    if (mode & RTLD_DEEPBIND && count <= 3) {
        /* Such a plugin's `free` is glibc's, which does not know what the preloaded door's `malloc` gave. */
        second.malloc = malloc;
        second.free = free;
    }
    printf("%s\n", second.gc_malloc == first.gc_malloc ? "one copy" : "two copies");
    each_way(&first, &second);
    each_way(&second, &first);
    CHECK(stop_handlers() == 1, "%d signals have a handler", stop_handlers());
    CHECK(cages() == 1, "%d heaps are reserved", cages());
    return 0;
}
