/*
 * Every callback of gleaner.h is left in every way C and C++ know: by returning, by an exception, by longjmp, by
 * pthread_exit and by pthread_cancel. Each case runs on a thread of its own, beside one thread that collects and one
 * that allocates and frees all the time.
 *
 * Shows: whoever leaves, however, leaves no lock taken, no gate closed and no region entered: the same thread (if it
 *        lives), the two beside it and a fresh one allocate, collect and find their chains whole. Destructors of
 *        the frames in between have run.
 *
 *     callbacks [--manual 1]          with finalizers=manual: finalizers run in gc_finalizers_run only
 */
#include "door.h"

#include <atomic>
#include <csetjmp>
#include <sys/syscall.h>

namespace {

enum Way { RETURN, THROW, LONGJMP, EXIT, CANCEL, WAYS };
const char *const way_names[WAYS] = { "return", "throw", "longjmp", "pthread_exit", "pthread_cancel" };

enum : size_t { SIZE_REFUSED = size_t(1) << 46 };       /* beyond any address space: no memory, but no overflow */
enum { CHAIN_LENGTH = 500, FINALIZABLE = 50, DEADLINE_SECONDS = 240 };

struct Left {};                                         /* what is thrown */
char exit_result;                                       /* its address is the result of a thread that exits */

struct Case;

/* A callback: how it is set up, how it is provoked on the case's thread, and whether it may use the heap. */
struct Callback {
    const char *name;
    void (*provoke)(Case &);
    bool may_allocate;
};

struct Case {
    const Callback *callback;
    Way way;
    gc_event_kind event;
    pthread_t thread;
    std::atomic<bool> left { false };
    struct cell *reserve = nullptr;                     /* what an out-of-memory handler that returns hands out */
    jmp_buf back;
};

std::atomic<bool> finished { false };
std::atomic<unsigned long> collected_beside { 0 };
int unwound;                                            /* written by one case at a time */

/* Counts that the frame which holds it was unwound. */
struct Guard {
    ~Guard() { unwound++; }
};

/* The heap, from whoever calls: everything works and nothing is lost. */
void use_heap(const char *where)
{
    struct cell *chain = chain_new(6, CHAIN_LENGTH);
    chain_new(7, CHAIN_LENGTH);
    gc_collect();
    chain_check(chain, 6, CHAIN_LENGTH, where);
    chain_free(chain);
    gc_free(gc_malloc(1 << 20));
}

/* The end of every callback. Another thread that happens to run it returns; the case's thread leaves, once. */
void leave(Case &current)
{
    if (!pthread_equal(pthread_self(), current.thread) || current.left)
        return;
    current.left = true;
    if (current.callback->may_allocate) {
        struct cell *chain = chain_new(1, CHAIN_LENGTH);
        gc_collect();
        chain_check(chain, 1, CHAIN_LENGTH, "inside a callback");
    }
    switch (current.way) {
    case THROW: throw Left();
    case LONGJMP: longjmp(current.back, 1);
    case EXIT: pthread_exit(&exit_result);
    case CANCEL:
        pthread_cancel(pthread_self());
        pthread_testcancel();
        die("pthread_testcancel returned although the thread was cancelled");
    default: return;
    }
}

/* ---- The callbacks, and what provokes each ---- */

void *on_no_memory(size_t size, void *data)
{
    Case &current = *static_cast<Case *>(data);
    if (size < SIZE_REFUSED)
        die("the out-of-memory handler was told %zu bytes, not %zu", size, size_t(SIZE_REFUSED));
    leave(current);
    return current.reserve;
}

void provoke_no_memory(Case &current)
{
    current.reserve = chain_new(2, CHAIN_LENGTH);
    gc_oom_handler_set(on_no_memory, &current);
    void *result = gc_malloc(SIZE_REFUSED);
    if (result != current.reserve)
        die("the allocation returned %p, not %p as its out-of-memory handler did", result, (void *)current.reserve);
}

void on_finalize(void *object, void *data)
{
    chain_check(static_cast<struct cell *>(object), 3, 1, "finalizer");
    leave(*static_cast<Case *>(data));
}

NOINLINE void drop_finalizable(Case &current)
{
    static const gc_finalizer_order orders[] = { GC_FINALIZER_ORDERED, GC_FINALIZER_UNORDERED,
                                                 GC_FINALIZER_UNREACHABLE };
    for (int i = 0; i < FINALIZABLE; i++)
        if (gc_finalizer_set(chain_new(3, 1), on_finalize, &current, orders[i % 3]) != 0)
            die("gc_finalizer_set failed");
}

/* The threads beside may run the finalizers instead: drop more until one has run here. */
void provoke_finalizer_in_collect(Case &current)
{
    while (!current.left) {
        drop_finalizable(current);
        stack_clear();
        gc_collect();
    }
}

void provoke_finalizer_in_allocation(Case &current)
{
    while (!current.left) {
        drop_finalizable(current);
        stack_clear();
        chain_new(4, 10 * CHAIN_LENGTH);
    }
}

void provoke_finalizer_by_hand(Case &current)
{
    while (!current.left) {
        drop_finalizable(current);
        stack_clear();
        gc_collect();
        gc_finalizers_run();
    }
}

void on_event(const gc_event *event, void *data)
{
    Case &current = *static_cast<Case *>(data);
    if (event->kind == current.event)
        leave(current);
}

void provoke_event(Case &current)
{
    gc_event_listener_set(on_event, &current);
    while (!current.left)
        gc_collect();
}

/* In the region: others collect meanwhile, so it is left behind their backs. */
void *on_blocking(void *data)
{
    Case &current = *static_cast<Case *>(data);
    unsigned long before = collected_beside;
    while (collected_beside < before + 2)
        sched_yield();
    leave(current);
    return data;
}

void provoke_blocking(Case &current)
{
    struct cell *chain = chain_new(5, CHAIN_LENGTH);
    if (gc_blocking(on_blocking, &current) != &current)
        die("gc_blocking did not return what its function returned");
    chain_check(chain, 5, CHAIN_LENGTH, "chain held over gc_blocking");
}

void on_warning(const char *message, void *data)
{
    if (message == nullptr || *message == '\0' || strchr(message, '\n') != nullptr)
        die("a warning is not one line: %s", message == nullptr ? "(null)" : message);
    leave(*static_cast<Case *>(data));
}

/*
 * A thread that blocks every signal and never enters the heap again: a stop waits for it in vain, is given up, and
 * warns. It asks the kernel itself, since the malloc door keeps the stop signal out of pthread_sigmask.
 */
void *stand_deaf(void *data)
{
    auto *standing = static_cast<std::atomic<int> *>(data);
    uint64_t all = ~uint64_t(0);
    use_heap("thread about to block all signals");
    if (syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, nullptr, sizeof all) != 0)
        die("rt_sigprocmask: %s", strerror(errno));
    *standing = 1;
    while (*standing == 1)
        sched_yield();
    return nullptr;
}

std::atomic<int> deaf { 0 };            /* 1 while the deaf thread stands */
pthread_t deaf_thread;

/* The case is over, however its thread left. */
void deaf_end()
{
    if (deaf == 0)
        return;
    deaf = 0;
    thread_join(deaf_thread);
}

void provoke_warning(Case &current)
{
    static const int tries = 20;
    deaf_thread = thread_start(stand_deaf, &deaf);
    while (deaf == 0)
        sched_yield();
    gc_warn_handler_set(on_warning, &current);
    for (int i = 0; i < tries && !current.left; i++)
        gc_collect();
    if (!current.left)
        die("%d collections beside a thread that blocks all signals, and no warning", tries);
}

const Callback no_memory = { "out-of-memory handler", provoke_no_memory, true };
const Callback finalizer_in_collect = { "finalizer in gc_collect", provoke_finalizer_in_collect, true };
const Callback finalizer_in_allocation = { "finalizer in gc_malloc", provoke_finalizer_in_allocation, true };
const Callback finalizer_by_hand = { "finalizer in gc_finalizers_run", provoke_finalizer_by_hand, true };
const Callback event = { "event listener", provoke_event, true };
const Callback blocking = { "gc_blocking", provoke_blocking, false };
const Callback warning = { "warning handler", provoke_warning, true };

/* ---- One case ---- */

/* A frame with a destructor between the callback and whoever catches. */
void provoke_guarded(Case &current)
{
    Guard guard;
    current.callback->provoke(current);
}

/* A frame without one, for longjmp: nothing between the two ends needs unwinding. */
void provoke_jumping(Case &current)
{
    if (setjmp(current.back) == 0) {
        current.callback->provoke(current);
        die("%s: returned instead of jumping", current.callback->name);
    }
}

void *case_thread(void *data)
{
    Case &current = *static_cast<Case *>(data);
    current.thread = pthread_self();
    struct cell *chain = chain_new(8, CHAIN_LENGTH);
    if (current.way == LONGJMP) {
        provoke_jumping(current);
    } else {
        try {
            provoke_guarded(current);
        } catch (const Left &) {
            if (current.way != THROW)
                die("%s: an exception that nobody threw", current.callback->name);
        }
    }
    chain_check(chain, 8, CHAIN_LENGTH, current.callback->name);
    use_heap(current.callback->name);
    return nullptr;
}

void *fresh_thread(void *data)
{
    use_heap(static_cast<const char *>(data));
    return nullptr;
}

void run_case(const Callback &callback, Way way, gc_event_kind kind = GC_CYCLE_START)
{
    Case &current = *new Case;              /* stays: a late finalizer still points to it */
    current.callback = &callback;
    current.way = way;
    current.event = kind;
    unwound = 0;
    void *result = thread_join(thread_start(case_thread, &current));
    deaf_end();
    gc_oom_handler_set(nullptr, nullptr);
    gc_event_listener_set(nullptr, nullptr);
    gc_warn_handler_set(nullptr, nullptr);
    void *expected = way == EXIT ? &exit_result : way == CANCEL ? PTHREAD_CANCELED : nullptr;
    if (!current.left)
        die("%s: never called on the thread that provoked it", callback.name);
    if (result != expected)
        die("%s, left by %s: the thread's result is %p, not %p", callback.name, way_names[way], result, expected);
    if (unwound != (way == LONGJMP ? 0 : 1))
        die("%s, left by %s: %d frames were unwound", callback.name, way_names[way], unwound);
    thread_join(thread_start(fresh_thread, const_cast<char *>(callback.name)));
}

/* ---- The threads beside ---- */

void *collect_beside(void *)
{
    struct cell *chain = chain_new(9, CHAIN_LENGTH);
    while (!finished) {
        gc_collect();
        collected_beside++;
        chain_check(chain, 9, CHAIN_LENGTH, "thread that collects beside");
    }
    return nullptr;
}

void *allocate_beside(void *)
{
    struct cell *chain = chain_new(10, CHAIN_LENGTH);
    for (unsigned long round = 0; !finished; round++) {
        struct cell *replacement = chain_new(10, CHAIN_LENGTH);
        chain_check(chain, 10, CHAIN_LENGTH, "thread that allocates beside");
        if (round % 2 == 0)
            chain_free(chain);
        chain = replacement;
    }
    return nullptr;
}

unsigned run_cases(bool manual)
{
    unsigned cases = 0;
    for (int w = RETURN; w < WAYS; w++) {
        Way way = static_cast<Way>(w);
        if (manual) {
            run_case(finalizer_by_hand, way);
            cases += 1;
            continue;
        }
        run_case(no_memory, way);
        run_case(finalizer_in_collect, way);
        run_case(finalizer_in_allocation, way);
        run_case(blocking, way);
        for (int kind = GC_CYCLE_START; kind <= GC_CYCLE_RESUME; kind++)
            run_case(event, way, static_cast<gc_event_kind>(kind));
        cases += 4 + GC_CYCLE_RESUME - GC_CYCLE_START + 1;
    }
    for (int way = RETURN; way < WAYS && !manual; way++, cases++)
        run_case(warning, static_cast<Way>(way));
    return cases;
}

}  // namespace

int main(int argc, char **argv)
{
    deadline(DEADLINE_SECONDS);
    bool manual = argument(argc, argv, "--manual", 0) != 0;
    if (manual && gc_option_set("finalizers", "manual") != 0)
        die("gc_option_set(\"finalizers\", \"manual\") failed before the first allocation");
    double started = now_s();
    pthread_t collecting = thread_start(collect_beside, nullptr);
    pthread_t allocating = thread_start(allocate_beside, nullptr);
    unsigned cases = run_cases(manual);
    finished = true;
    thread_join(collecting);
    thread_join(allocating);
    printf("callbacks: finalizers=%s cases=%u seconds=%.1f collections=%lu\n", manual ? "manual" : "auto", cases,
           now_s() - started, gc_collections());
    return 0;
}
