/* What the program is told of a collection and takes part in it with: in one order, whichever the library. */
#include "many.h"

enum { START_CALLBACK = 100, PUSH = 200, THREAD = 300 };

static int seen[64], count;
static int is_stopped;
static pthread_t other;
static GC_push_other_roots_proc before;
/* In memory that is no root. */
static void **pushed;

static void note(int what) {
    if (count < 64)
        seen[count++] = what;
}

static void on_event(GC_EventType event) {
    note(event);
    if (event == GC_EVENT_POST_STOP_WORLD)
        is_stopped = 1;
    if (event == GC_EVENT_PRE_START_WORLD)
        is_stopped = 0;
}

static void on_thread(GC_EventType event, void *thread) {
    if (thread == (void *)other)
        note(THREAD + (int)event);
}

static void on_start(void) {
    CHECK(!is_stopped, "the world runs");
    note(START_CALLBACK);
}

static void push(void) {
    CHECK(is_stopped, "the world is stopped");
    if (count == 0 || seen[count - 1] != PUSH)
        note(PUSH);
    GC_push_all(pushed, pushed + MANY / 2);
    GC_push_all_eager(pushed + MANY / 2, pushed + MANY);
    (*before)();
}

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        void *object = GC_malloc(40);
        pushed[i] = object;
        watch(i, object);
    }
}

static GC_word heap_bytes;

static void on_resize(GC_word bytes) {
    heap_bytes = bytes;
}

static volatile int is_over;

static void *wait(void *unused) {
    while (!is_over)
        ;
    return unused;
}

int main(void) {
    static const int order[] = {GC_EVENT_START, START_CALLBACK, GC_EVENT_PRE_STOP_WORLD,
                                THREAD + GC_EVENT_THREAD_SUSPENDED, GC_EVENT_POST_STOP_WORLD, GC_EVENT_MARK_START, PUSH,
                                GC_EVENT_MARK_END, GC_EVENT_PRE_START_WORLD, THREAD + GC_EVENT_THREAD_UNSUSPENDED,
                                GC_EVENT_POST_START_WORLD, GC_EVENT_RECLAIM_START, GC_EVENT_RECLAIM_END, GC_EVENT_END};
    enum { STEPS = sizeof order / sizeof *order };
    GC_INIT();
    pushed = calloc(MANY, sizeof(void *));
    CHECK(pthread_create(&other, NULL, wait, NULL) == 0, "a thread");
    before = GC_get_push_other_roots();
    CHECK(before != 0, "one is there from the start");
    GC_set_push_other_roots(push);
    CHECK(GC_get_push_other_roots() == push, "and another is set");
    GC_set_start_callback(on_start);
    GC_set_on_collection_event(on_event);
    GC_set_on_thread_event(on_thread);
    for (int round = 0; round < 3; round++) {
        count = 0;
        GC_gcollect();
        CHECK(count == STEPS, "%d steps instead of %d", count, STEPS);
        for (int i = 0; i < STEPS; i++)
            CHECK(seen[i] == order[i], "step %d is %d and not %d", i, seen[i], order[i]);
    }
    GC_set_on_thread_event(0);
    is_over = 1;
    pthread_join(other, NULL);
    elsewhere(make);
    CHECK(living() == MANY, "what is pushed is kept");
    memset(pushed, 0, MANY * sizeof(void *));
    CHECK(living() <= FEW, "and then not");
    GC_set_on_heap_resize(on_resize);
    GC_noop1((GC_word)GC_malloc(40000000));
    CHECK(heap_bytes >= 40000000 && heap_bytes <= GC_get_heap_size() + GC_get_unmapped_bytes(), "a heap of %lu bytes",
          (unsigned long)heap_bytes);
    return 0;
}
