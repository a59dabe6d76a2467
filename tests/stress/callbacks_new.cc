/*
 * operator new under the malloc door: without memory it throws std::bad_alloc (or returns a null pointer, in its
 * nothrow forms), after the new-handler has had its turn. The handler is left in every way: by an exception, longjmp,
 * pthread_exit, pthread_cancel, and by giving way so that the request is refused.
 *
 * Each case runs on a thread of its own beside one that allocates and collects; chains tell that nothing is lost.
 */
#ifndef DOOR_MALLOC
#error "operator new belongs to the malloc door: compile with -DDOOR_MALLOC"
#endif
#include "door.h"

#include <atomic>
#include <csetjmp>
#include <new>
#include <vector>

namespace {

enum Way { THROW, LONGJMP, EXIT, CANCEL, GIVE_WAY, WAYS };
const char *const way_names[WAYS] = { "throw", "longjmp", "pthread_exit", "pthread_cancel", "giving way" };

/* Beyond any address space; volatile, so that the compiler cannot see it coming. */
volatile size_t size_refused = size_t(1) << 46;
enum { CHAIN_LENGTH = 500, ROUNDS = 20, DEADLINE_SECONDS = 120 };

struct Left {};
char exit_result;
thread_local Way handler_way;
thread_local jmp_buf handler_back;
thread_local int handler_calls;
std::atomic<bool> finished { false };
std::atomic<int> unwound { 0 };

struct Guard {
    ~Guard() { unwound++; }
};

void on_no_memory()
{
    handler_calls++;
    struct cell *chain = chain_new(1, CHAIN_LENGTH);
    door_collect();
    chain_check(chain, 1, CHAIN_LENGTH, "inside the new-handler");
    chain_free(chain);
    switch (handler_way) {
    case THROW: throw Left();
    case LONGJMP: longjmp(handler_back, 1);
    case EXIT: pthread_exit(&exit_result);
    case CANCEL:
        pthread_cancel(pthread_self());
        pthread_testcancel();
        die("pthread_testcancel returned although the thread was cancelled");
    default: std::set_new_handler(nullptr);             /* the next try finds none: bad_alloc */
    }
}

void new_guarded()
{
    Guard guard;
    ::operator delete(::operator new(size_refused));
    die("operator new returned instead of failing");
}

void new_jumping()
{
    if (setjmp(handler_back) == 0) {
        ::operator delete(::operator new(size_refused));
        die("operator new returned instead of failing");
    }
}

void *case_thread(void *data)
{
    handler_way = *static_cast<Way *>(data);
    struct cell *chain = chain_new(2, CHAIN_LENGTH);
    std::set_new_handler(on_no_memory);
    if (handler_way == LONGJMP) {
        new_jumping();
    } else {
        try {
            new_guarded();
        } catch (const Left &) {
            if (handler_way != THROW)
                die("an exception that nobody threw");
        } catch (const std::bad_alloc &) {
            if (handler_way != GIVE_WAY)
                die("bad_alloc although the new-handler left by %s", way_names[handler_way]);
        }
    }
    if (handler_calls != 1)
        die("the new-handler was called %d times", handler_calls);
    door_collect();
    chain_check(chain, 2, CHAIN_LENGTH, "after operator new failed");
    chain_free(chain);
    return nullptr;
}

void run_case(Way way)
{
    int unwound_before = unwound;
    void *result = thread_join(thread_start(case_thread, &way));
    std::set_new_handler(nullptr);
    void *expected = way == EXIT ? &exit_result : way == CANCEL ? PTHREAD_CANCELED : nullptr;
    if (result != expected)
        die("new-handler left by %s: the thread's result is %p, not %p", way_names[way], result, expected);
    if (unwound - unwound_before != (way == LONGJMP ? 0 : 1))
        die("new-handler left by %s: %d frames were unwound", way_names[way], unwound - unwound_before);
}

template <typename Allocate> void must_throw(const char *what, Allocate allocate)
{
    try {
        Guard guard;
        allocate();
    } catch (const std::bad_alloc &) {
        return;
    }
    die("%s does not throw bad_alloc without memory", what);
}

void must_be_null(const char *what, void *object)
{
    if (object != nullptr)
        die("%s is %p without memory, not a null pointer", what, object);
}

/* Every throwing and every nothrow form. */
void check_forms()
{
    const std::align_val_t page { 4096 };
    must_throw("operator new", [] { ::operator delete(::operator new(size_refused)); });
    must_throw("operator new[]", [] { ::operator delete[](::operator new[](size_refused)); });
    must_throw("aligned operator new", [page] { ::operator delete(::operator new(size_refused, page), page); });
    must_throw("aligned operator new[]", [page] { ::operator delete[](::operator new[](size_refused, page), page); });
    must_throw("std::vector", [] { std::vector<char> bytes(size_refused); });
    must_be_null("nothrow operator new", ::operator new(size_refused, std::nothrow));
    must_be_null("nothrow operator new[]", ::operator new[](size_refused, std::nothrow));
    must_be_null("aligned nothrow operator new", ::operator new(size_refused, page, std::nothrow));
    must_be_null("aligned nothrow operator new[]", ::operator new[](size_refused, page, std::nothrow));
}

void *work_beside(void *)
{
    struct cell *chain = chain_new(3, CHAIN_LENGTH);
    while (!finished) {
        struct cell *replacement = chain_new(3, CHAIN_LENGTH);
        door_collect();
        chain_check(chain, 3, CHAIN_LENGTH, "thread beside");
        chain_free(chain);
        chain = replacement;
    }
    chain_free(chain);
    return nullptr;
}

}  // namespace

int main()
{
    deadline(DEADLINE_SECONDS);
    double started = now_s();
    pthread_t beside = thread_start(work_beside, nullptr);
    for (int round = 0; round < ROUNDS; round++) {
        check_forms();
        for (int way = THROW; way < WAYS; way++)
            run_case(static_cast<Way>(way));
    }
    finished = true;
    thread_join(beside);
    printf("callbacks_new: door=%s cases=%d seconds=%.1f collections=%lu\n", DOOR, ROUNDS * WAYS, now_s() - started,
           door_collections());
    return 0;
}
