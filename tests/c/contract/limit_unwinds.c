/* A language's heap limit: a computation that reaches it is unwound to where the language reads its input, from the
 * handler or by NULL; all that it made is garbage then, and the next computation has the whole heap.  On the main thread,
 * on others, on fibers, from deep recursion, and in a collection's callbacks. */
#include <gleaner_inline.h>

#include "fibers.h"
#include <pthread.h>
#include <setjmp.h>

enum { LIMIT = 24 << 20, ROUNDS = 20, KEPT = 10 };

/* Where a thread's computation is left to; of its own, for several may reach the limit at once. */
static __thread jmp_buf prompt;
static __thread size_t unwound;

static void *unwind(size_t size, void *data)
{
    (void)size;
    CHECK(data == &unwind, "the handler's data is %p", data);
    unwound++;
    longjmp(prompt, 1);
}

struct node {
    struct node *next;
    uintptr_t number;
    void *more[4];
};

/* ---- Computations that never end ------------------------------------------------------------------------------ */

static NOINLINE void a_list(void)
{
    struct node *list = NULL;
    for (uintptr_t i = 0;; i++) {
        struct node *node = gc_malloc(sizeof *node);
        node->next = list;
        list = node;
    }
}

static NOINLINE void an_inlined_list(void)
{
    struct node *list = NULL;
    gc_cache *nodes = gc_cache_get(sizeof *list, GC_KIND_SCANNED);
    for (uintptr_t i = 0;; i++) {
        struct node *node = i % 2 ? gc_cache_malloc(nodes) : gc_malloc_inline(sizeof *node);
        node->next = list;
        list = node;
    }
}

static NOINLINE void a_growing_array(void)
{
    char *array = NULL;
    for (size_t size = 64;; size += size / 2)
        use(array = gc_realloc(array, size));
}

static NOINLINE void a_weak_table(void)
{
    struct node *list = NULL;
    for (size_t room = 8;; room += room / 8) {
        gc_pair *pairs = gc_malloc_ephemerons(room);
        struct node *node = gc_malloc(sizeof *node);
        pairs[0].value = list;
        pairs[0].key = node;
        node->next = list;
        node->more[0] = pairs;
        list = node;
    }
}

static NOINLINE size_t a_deep_recursion(struct node *caller)
{
    struct node *frame = gc_malloc(2048);
    frame->next = caller;
    if (opaque(0) != 0)
        return 0;
    return 1 + a_deep_recursion(frame) + (frame->next != caller);
}

static void a_recursion(void)
{
    use((void *)(uintptr_t)a_deep_recursion(NULL));
}

/* ---- The prompt ------------------------------------------------------------------------------------------------ */

static void (*const computations[])(void) = { a_list, an_inlined_list, a_growing_array, a_weak_table, a_recursion };
enum { COMPUTATIONS = sizeof computations / sizeof *computations };

/* What the language has from its definitions, beside what computations make. */
static NOINLINE struct node *definitions(void)
{
    struct node *list = NULL;
    for (uintptr_t i = KEPT; i-- > 0;) {
        /* A size of its own: a root at it also keeps the slot that ends there. */
        struct node *node = gc_malloc(112);
        node->next = list;
        node->number = i;
        list = node;
    }
    return list;
}

static void are_whole(const struct node *list)
{
    for (uintptr_t i = 0; i < KEPT; i++, list = list->next)
        CHECK(list->number == i, "definition %lu is damaged", (unsigned long)i);
}

static NOINLINE void read_and_run(int computation)
{
    if (setjmp(prompt) == 0) {
        computations[computation]();
        CHECK(0, "computation %d has ended", computation);
    }
}

static void prompts(void)
{
    struct node *kept = definitions();
    for (int round = 0; round < ROUNDS; round++) {
        read_and_run(round % COMPUTATIONS);
        are_whole(kept);
    }
    CHECK(unwound == ROUNDS, "%zu of %d computations were unwound", unwound, ROUNDS);
}

/* Nothing of the aborted computations is left: what may be allocated now is nearly the limit. */
static void all_is_garbage(const char *where)
{
    gc_collect();
    size_t in_use = stats().bytes_in_use;
    CHECK(in_use < LIMIT / 4, "%s: %zu bytes are in use after all was unwound", where, in_use);
}

static void on_the_main_thread(void)
{
    run(prompts);
    all_is_garbage("on the main thread");
}

static void *on_a_thread(void *unused)
{
    (void)unused;
    prompts();
    return NULL;
}

/* The limit is one for all: whoever reaches it is unwound, and the others go on with what that gives back. */
static void on_threads(void)
{
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, on_a_thread, NULL) == 0, "no thread");
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    all_is_garbage("on threads");
}

/* ---- Fibers ---------------------------------------------------------------------------------------------------- */

enum { STACK_BYTES = 64 << 10, RECURSION = COMPUTATIONS - 1 };

/* A fiber with a prompt of its own: the jump stays on its stack. */
static void with_own_prompt(struct coroutine *c, void *unused)
{
    (void)unused;
    for (int computation = 0; computation < RECURSION; computation++) {
        read_and_run(computation);
        yield_from(c);
    }
}

/* A fiber that is given up where it stands: the handler switches away for good. */
static struct coroutine *given_up;

static void *switch_away(size_t size, void *data)
{
    (void)size;
    (void)data;
    unwound++;
    yield_from(given_up);
    return NULL;
}

static void without_prompt(struct coroutine *c, void *computation)
{
    (void)c;
    computations[(uintptr_t)computation]();
}

static void on_fibers(const struct way *way)
{
    struct node *kept = definitions();
    void *stack = map(STACK_BYTES);
    struct coroutine c;
    unwound = 0;
    gc_fiber *fiber = make_coroutine(&c, way, stack, STACK_BYTES, GC_FIBER_ROOT, with_own_prompt, NULL);
    while (!c.is_over) {
        resume(&c);
        are_whole(kept);
    }
    CHECK(unwound == RECURSION, "%zu computations of a fiber were unwound", unwound);
    gc_fiber_free(fiber);

    gc_oom_handler_set(switch_away, NULL);
    for (uintptr_t computation = 0; computation < RECURSION; computation++) {
        fiber = make_coroutine(&c, way, stack, STACK_BYTES, GC_FIBER_ROOT, without_prompt, (void *)computation);
        given_up = &c;
        resume(&c);
        CHECK(unwound == RECURSION + 1 + computation, "a fiber's computation was not unwound");
        gc_fiber_free(fiber);
        memset(stack, 0, STACK_BYTES);
        clear_stack(16);
        all_is_garbage("after a fiber that was given up");
    }
    gc_oom_handler_set(unwind, (void *)&unwind);
    munmap(stack, STACK_BYTES);
    are_whole(kept);
}

/* ---- Callbacks ------------------------------------------------------------------------------------------------- */

static void allocates_too_much(void *object, void *data)
{
    (void)object;
    (void)data;
    a_list();
}

static NOINLINE void drop_some(void)
{
    for (int i = 0; i < 5; i++) {
        void *object = gc_malloc(4000);
        CHECK(gc_finalizer_set(object, allocates_too_much, NULL, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
    }
}

/* Finalizers that reach the limit are left by the jump; the next one runs all the same. */
static void from_finalizers(void)
{
    volatile int turns = 0;
    unwound = 0;
    run(drop_some);
    for (turns = 0; turns < 20; turns++)
        if (setjmp(prompt) == 0)
            gc_collect();
    CHECK(unwound >= 4, "%zu of 5 finalizers were unwound", unwound);
    clear_stack(16);
    all_is_garbage("after finalizers");
}

/* ---- By NULL --------------------------------------------------------------------------------------------------- */

static NOINLINE size_t until_null(void)
{
    struct node *list = NULL;
    for (size_t count = 0;; count++) {
        struct node *node = gc_malloc_inline(sizeof *node);
        if (node == NULL) {
            CHECK(errno == ENOMEM, "errno is %d", errno);
            return count;
        }
        node->next = list;
        list = node;
    }
}

static void by_null(void)
{
    gc_oom_handler_set(NULL, NULL);
    size_t first = until_null();
    for (int round = 0; round < 5; round++) {
        clear_stack(16);
        size_t count = until_null();
        CHECK(count > first / 2, "%zu objects, after %zu at first", count, first);
    }
}

int main(void)
{
    gc_heap_limit_set(LIMIT);
    gc_oom_handler_set(unwind, (void *)&unwind);
    on_the_main_thread();
    on_threads();
    for (int way = 0; way < WAYS_COUNT; way++)
        on_fibers(&WAYS[way]);
    from_finalizers();
    by_null();
    return 0;
}
