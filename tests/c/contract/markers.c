/* Several markers find what one finds: plain objects, objects of a kind with a trace procedure, ephemerons, typed and
   large ones, mixed so that each leads to the others; procedures are called by one thread, and the threads that mark
   are gone when the collection is over. */
#define _GNU_SOURCE
#include "check.h"
#include <dirent.h>
#include <unistd.h>

enum { ROUNDS = 12, CELLS = 4000, LARGE_WORDS = 40000 };

/* What a chain goes through, from a slot of a large object to its end. */
struct traced {
    uintptr_t complemented;
    void *ignored;
};

struct typed {
    uintptr_t number;
    void *next;
};

static gc_kind kind;
static gc_layout layout;
static void **large;
static gc_weak *ends[CELLS], *lost[CELLS];
static pid_t tracing_thread;
static int was_traced_elsewhere;

static void trace(void *object, size_t size, gc_tracer *tracer)
{
    const struct traced *traced = object;
    (void)size;
    if (tracing_thread != gettid())
        was_traced_elsewhere = 1;
    if (traced->complemented != 0)
        gc_trace_word(tracer, reveal(traced->complemented));
}

static void *plain(void *next)
{
    void **object = gc_malloc(2 * sizeof *object);
    object[1] = next;
    return object;
}

/* A chain of every kind of object, whose end `cell` observes. */
static void *chain(gc_weak **cell, gc_weak **lost_cell)
{
    void *end = gc_malloc(24), *key = gc_malloc(16);
    struct traced *traced = gc_malloc_kind(sizeof *traced, kind);
    struct typed *typed = gc_malloc_typed(sizeof *typed, layout);
    *cell = observe(end);
    traced->complemented = hide(plain(end));
    traced->ignored = gc_malloc(24);
    *lost_cell = observe(traced->ignored);
    typed->next = plain(traced);
    /* The ephemeron and its key: the value leads on. */
    {
        void **both = gc_malloc(2 * sizeof *both);
        both[0] = key;
        both[1] = gc_ephemeron_new(key, plain(typed));
        return plain(both);
    }
}

static unsigned threads_now(void)
{
    DIR *tasks = opendir("/proc/self/task");
    unsigned count = 0;
    struct dirent *entry;
    CHECK(tasks != NULL, "/proc/self/task: %s", strerror(errno));
    while ((entry = readdir(tasks)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

static void fill(void)
{
    int i;
    for (i = 0; i < CELLS; i++)
        large[(size_t)i * (LARGE_WORDS / CELLS)] = chain(&ends[i], &lost[i]);
}

int main(void)
{
    static const unsigned long typed_map[] = {2};
    int round, i;

    CHECK(gc_option_set("markers", "4") == 0, "markers is no option");
    gc_init();
    kind = gc_kind_new(trace);
    layout = gc_layout_from_bitmap(typed_map, 2);
    tracing_thread = gettid();
    large = gc_malloc(LARGE_WORDS * sizeof *large);
    run(fill);
    for (round = 0; round < ROUNDS; round++) {
        int kept = 0, gone = 0;
        gc_collect();
        for (i = 0; i < CELLS; i++) {
            kept += gc_weak_get(ends[i]) != NULL;
            gone += gc_weak_get(lost[i]) == NULL;
        }
        CHECK(kept == CELLS, "round %d: %d of %d ends of chains are left", round, kept, CELLS);
        CHECK((size_t)gone >= MOST(CELLS), "round %d: only %d of %d that nothing leads to are gone", round, gone, CELLS);
        CHECK(!was_traced_elsewhere, "round %d: a trace procedure was called by another thread", round);
        CHECK(threads_now() == 1, "round %d: %u threads after the collection", round, threads_now());
    }
    return 0;
}
