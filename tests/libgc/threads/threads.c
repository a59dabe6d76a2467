/* What several threads do at once with objects of GC_MALLOC and its kin, and how long it takes.
 *
 *     threads WORK THREADS AMOUNT
 *
 * Prints "SECONDS PROCESSOR_SECONDS RSS_KIB COLLECTIONS CHECKSUM". The threads share AMOUNT, which is about the number of
 * allocations; the checksum depends on nothing else. Each thread keeps some of what it has made, replaces it bit by bit, and
 * looks each object over before it gives it up: one that has changed ends the program with 1 and a line that says so.
 *
 * WORK is
 *     lists          builds lists of a hundred elements, keeps the last sixteen
 *     sizes          replaces objects of 16 bytes to 32 KiB, small ones more often, with and without pointers
 *     uncollectable  replaces objects that are never collected and hold the only pointer to one that may be
 *     freed          replaces objects of up to 512 bytes and frees each by hand
 *     mixed          all of this in turn
 *     nothing        counts, to see how many processors the threads get
 */
#define GC_THREADS
#include <gc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { THREADS_MAX = 64, LISTS = 16, LENGTH = 100, SIZED = 64, HELD = 256 };

static void fail(const char *what, const void *where, uint64_t found, uint64_t expected) {
    printf("threads: %s at %p: %llx instead of %llx\n", what, where, (unsigned long long)found,
           (unsigned long long)expected);
    exit(1);
}

static void expect(const char *what, const void *where, uint64_t found, uint64_t expected) {
    if (found != expected)
        fail(what, where, found, expected);
}

static void *got(void *object) {
    if (object == NULL) {
        printf("threads: no memory\n");
        exit(1);
    }
    return object;
}

/* A thread's own numbers: the same in each run. */
static uint64_t next(uint64_t *state) {
    return (*state = *state * 6364136223846793005 + 1442695040888963407) >> 33;
}

/* ---- Lists ---- */

struct element {
    struct element *next;
    uint64_t number;
};

static struct element *build(uint64_t first) {
    struct element *list = NULL;
    for (uint64_t i = 0; i < LENGTH; i++) {
        struct element *element = got(GC_MALLOC(sizeof *element));
        element->next = list;
        element->number = first + i;
        list = element;
    }
    return list;
}

static uint64_t look_over_list(const struct element *list, uint64_t first) {
    uint64_t left = LENGTH;
    for (; list != NULL; list = list->next)
        expect("an element of a list", list, list->number, first + --left);
    expect("the end of a list", list, left, 0);
    return first;
}

/* One of a thread's places for an object, which is in memory that the collector searches. */
struct place {
    void *object;
    uint64_t number;
    size_t bytes;
};

struct places {
    struct place lists[LISTS], sized[SIZED], uncollectable[HELD], freed[HELD];
};

static uint64_t list(struct places *places, uint64_t number, uint64_t *state) {
    struct place *place = &places->lists[number % LISTS];
    uint64_t sum = place->object != NULL ? look_over_list(place->object, place->number) : 0;
    (void)state;
    place->number = number * LENGTH;
    place->object = build(place->number);
    return sum;
}

/* ---- Objects that say in their first and last word who they are ---- */

static void sign(struct place *place, void *object, size_t bytes, uint64_t number) {
    uint64_t *words = object;
    words[0] = number;
    words[bytes / sizeof *words - 1] = number;
    *place = (struct place){ object, number, bytes };
}

static uint64_t look_over(const struct place *place) {
    const uint64_t *words = place->object;
    if (words == NULL)
        return 0;
    expect("the first word of an object", words, words[0], place->number);
    expect("the last word of an object", words, words[place->bytes / sizeof *words - 1], place->number);
    return place->number;
}

/* 16 bytes to 32 KiB: each power of two as often as the next. */
static size_t some_bytes(uint64_t *state, unsigned powers) {
    uint64_t random = next(state);
    size_t least = (size_t)16 << random % powers;
    return (least + (random >> 8 & (least - 1))) & ~(size_t)7;
}

static uint64_t sized(struct places *places, uint64_t number, uint64_t *state) {
    struct place *place = &places->sized[number % SIZED];
    uint64_t sum = look_over(place);
    size_t bytes = some_bytes(state, 11);
    sign(place, got(number % 2 ? GC_MALLOC(bytes) : GC_MALLOC_ATOMIC(bytes)), bytes, number);
    return sum;
}

static uint64_t freed(struct places *places, uint64_t number, uint64_t *state) {
    struct place *place = &places->freed[number % HELD];
    uint64_t sum = look_over(place);
    size_t bytes = some_bytes(state, 5);
    GC_FREE(place->object);
    sign(place, got(GC_MALLOC(bytes)), bytes, number);
    return sum;
}

/* The place hides the address: what is uncollectable is kept without. */
static uint64_t uncollectable(struct places *places, uint64_t number, uint64_t *state) {
    struct place *place = &places->uncollectable[number % HELD];
    uint64_t sum = 0;
    size_t bytes = some_bytes(state, 4);
    void **holder = got(GC_MALLOC_UNCOLLECTABLE(bytes));
    if (place->object != NULL) {
        void **old = (void **)~(uintptr_t)place->object;
        struct place inner = { *old, place->number, 2 * sizeof(uint64_t) };
        sum = look_over(&inner);
        GC_FREE(old);
    }
    struct place inner;
    sign(&inner, got(GC_MALLOC(2 * sizeof(uint64_t))), 2 * sizeof(uint64_t), number);
    *holder = inner.object;
    *place = (struct place){ (void *)~(uintptr_t)holder, number, bytes };
    return sum;
}

static uint64_t nothing(struct places *places, uint64_t number, uint64_t *state) {
    (void)places, (void)number;
    return next(state) & 0;
}

/* ---- Threads ---- */

typedef uint64_t work(struct places *places, uint64_t number, uint64_t *state);

/* A step of some work makes so many allocations. */
static const struct {
    const char *name;
    work *work[4];
    unsigned works, allocations[4];
} kinds[] = {
    { "lists", { list }, 1, { LENGTH } },
    { "sizes", { sized }, 1, { 1 } },
    { "uncollectable", { uncollectable }, 1, { 2 } },
    { "freed", { freed }, 1, { 1 } },
    { "nothing", { nothing }, 1, { 1 } },
    { "mixed", { list, sized, uncollectable, freed }, 4, { LENGTH, 1, 2, 1 } },
};

static unsigned kind, threads;
static uint64_t amount, sums[THREADS_MAX];
static pthread_barrier_t at_start;

static void *run(void *argument) {
    unsigned thread = (unsigned)(uintptr_t)argument;
    struct places *places = got(GC_MALLOC(sizeof *places));
    uint64_t state = thread, number = (uint64_t)thread << 40, sum = 0;
    pthread_barrier_wait(&at_start);
    /* As much of each kind of work, in portions. */
    for (uint64_t done = 0; done < amount / threads; done += (uint64_t)LENGTH * kinds[kind].works) {
        for (unsigned i = 0; i < kinds[kind].works; i++)
            for (unsigned spent = 0; spent < LENGTH; spent += kinds[kind].allocations[i])
                sum += kinds[kind].work[i](places, ++number, &state);
    }
    sums[thread] = sum;
    return places;
}

static double seconds_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    pthread_t ids[THREADS_MAX];
    struct rusage used;
    uint64_t sum = 0;
    if (argc == 4) {
        threads = (unsigned)strtoul(argv[2], NULL, 10);
        amount = strtoull(argv[3], NULL, 10);
        while (kind < sizeof kinds / sizeof *kinds && strcmp(kinds[kind].name, argv[1]) != 0)
            kind++;
    }
    if (threads == 0 || threads > THREADS_MAX || kind == sizeof kinds / sizeof *kinds) {
        fprintf(stderr, "usage: threads lists|sizes|uncollectable|freed|mixed|nothing THREADS AMOUNT\n");
        return 2;
    }
    GC_INIT();
    pthread_barrier_init(&at_start, NULL, threads + 1);
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, run, (void *)(uintptr_t)i) != 0) {
            printf("threads: no thread\n");
            return 1;
        }
    pthread_barrier_wait(&at_start);
    double started = seconds_of(CLOCK_MONOTONIC), busy = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < threads; i++) {
        void *places;
        pthread_join(ids[i], &places);
        sum += sums[i];
    }
    busy = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - busy;
    getrusage(RUSAGE_SELF, &used);
    printf("%.3f %.3f %ld %lu %016llx\n", seconds_of(CLOCK_MONOTONIC) - started, busy, used.ru_maxrss,
           (unsigned long)GC_get_gc_no(), (unsigned long long)sum);
    return 0;
}
