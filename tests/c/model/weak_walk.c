/* A random walk over weak objects beside a naive twin.
 *
 * usage: weak_walk SEED OPERATIONS THREADS
 *
 * Three sorts of things point to each other at random: nodes (two strong fields), weak words, and ephemerons.  The twin
 * knows of each who it points to, by number; addresses it has inverted only, so that it keeps nothing.  What is reachable
 * it finds by going round until nothing changes.  The program stores only what it has just reached from the roots, so
 * what is unreachable once stays so.
 *
 * What is expected after each gc_collect, of everything that the twin can reach: nodes are as they were; a weak word or a
 * pair is as it was when what it holds is reachable, or is a number; else it is cleared, and counted (nearly always: a
 * stale word of a stack keeps something now and then; then both words of a pair stay).
 */
#define _GNU_SOURCE
#include <gleaner.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { THINGS = 4000, ROOTS = 500, THREADS_MAX = 2, PLACES = 24, NONE = -1, NUMBER = -2, STEPS = 12 };

enum sort { NODE, WORDS, PAIRS };

/* One place of a thing: a field, a weak word, or a key. */
struct place {
    int target; /* a thing, NONE, or NUMBER */
    int value;  /* of a pair, the same */
    uintptr_t hidden, hidden_value; /* ~ the words */
};

struct thing {
    uintptr_t hidden; /* ~ its address; 0: nobody */
    enum sort sort;
    size_t bytes;
    int places, stride; /* places are so many words, or pairs, apart */
    uintptr_t tombstone;
    size_t died;
    int reached;
    struct place place[PLACES];
};

struct walker {
    int number;
    uint64_t random;
    long operation;
    struct thing *things;
    int roots[ROOTS];
    unsigned long died, stayed, kept, checks;
};

/* What holds the things; the program only writes it, hence volatile.  It is an object of the heap itself: there, an
 * address keeps nothing that ends where it points. */
struct roots {
    void *volatile of[THREADS_MAX][ROOTS];
    void *volatile fresh[THREADS_MAX]; /* what is new, until it has been given away or not */
};
static struct roots *roots;
static uint64_t seed;
static long operations;

static __attribute__((noreturn, format(printf, 2, 3))) void fail(struct walker *w, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "weak_walk: seed %llu, thread %d, operation %ld: ", (unsigned long long)seed, w->number, w->operation);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    _exit(1);
}

/* Memory that the heap knows nothing of. */
static void *table(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        perror("weak_walk: mmap");
        _exit(2);
    }
    return p;
}

static size_t below(struct walker *w, size_t end)
{
    uint64_t x = w->random += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (size_t)((x ^ x >> 31) % end);
}

/* ---- Memory ---------------------------------------------------------------------------------------------------- */

static char *address(const struct thing *t)
{
    return (char *)~t->hidden;
}

/* The word of a place: a field comes after the node's number. */
static void *volatile *word_of(const struct thing *t, int place)
{
    size_t words = (size_t)place * (size_t)t->stride * (t->sort == PAIRS ? 3 : 1) + (t->sort == NODE);
    return (void *volatile *)(address(t) + words * sizeof(void *));
}

static void set(struct thing *t, int place, int target, void *word, int value, void *value_word)
{
    struct place *p = &t->place[place];
    *p = (struct place){ target, value, ~(uintptr_t)word, ~(uintptr_t)value_word };
    if (t->sort == PAIRS)
        word_of(t, place)[1] = value_word;
    *word_of(t, place) = word;
}

/* Some address in a thing, tagged or inside; strong fields are alike. */
static void *into(struct walker *w, const struct thing *t)
{
    switch (below(w, 3)) {
    case 0: return address(t);
    case 1: return address(t) + below(w, 8);
    default: return address(t) + below(w, t->bytes);
    }
}

static int new_thing(struct walker *w)
{
    for (int tries = 0; tries < 50; tries++) {
        int index = (int)below(w, THINGS);
        struct thing *t = &w->things[index];
        if (t->hidden != 0)
            continue;
        enum sort sort = below(w, 5) < 3 ? NODE : below(w, 2) ? WORDS : PAIRS;
        size_t room = 0;
        void *p;
        *t = (struct thing){ .sort = sort, .places = sort == NODE ? 2 : 1 + (int)below(w, PLACES), .stride = 1 };
        if (sort != NODE && below(w, 40) == 0)
            t->stride = 2000; /* a large object */
        room = (size_t)t->places * (size_t)t->stride;
        t->bytes = sort == NODE ? 24 + below(w, 200) : room * (sort == WORDS ? 8 : sizeof(gc_pair));
        p = sort == NODE ? gc_malloc(t->bytes) : sort == WORDS ? gc_malloc_weak(t->bytes) : (void *)gc_malloc_ephemerons(room);
        roots->fresh[w->number] = p;
        if (p == NULL)
            fail(w, "no memory for %zu bytes", t->bytes);
        if (sort != NODE && gc_usable_size(p) < t->bytes)
            fail(w, "%zu bytes were asked for, and %zu may be used", t->bytes, gc_usable_size(p));
        for (size_t byte = 0; byte < t->bytes; byte++)
            if (((char *)p)[byte] != 0)
                fail(w, "byte %zu of a new thing is not zero", byte);
        if (sort == NODE)
            *(uintptr_t *)p = (uintptr_t)index * 2 + 1;
        if (sort != NODE && below(w, 2) == 0) {
            t->tombstone = 2 * below(w, 100) + 1;
            if (gc_weak_tombstone_set(p, (void *)t->tombstone) != 0)
                fail(w, "no tombstone");
        }
        for (int i = 0; i < PLACES; i++)
            t->place[i] = (struct place){ NONE, NONE, ~(uintptr_t)0, ~(uintptr_t)0 };
        t->hidden = ~(uintptr_t)p;
        return index;
    }
    return NONE;
}

/* ---- What the program may touch: what it reaches by strong fields, and by pairs whose keys it holds ---------------- */

static int walk_to(struct walker *w)
{
    int at = w->roots[below(w, ROOTS)];
    for (size_t steps = below(w, STEPS); at >= 0 && steps > 0; steps--) {
        struct thing *t = &w->things[at];
        int next = t->sort == NODE ? t->place[below(w, 2)].target : NONE;
        if (next < 0)
            break;
        at = next;
    }
    return at;
}

static void hold(struct walker *w, int index)
{
    int holder = below(w, 2) ? walk_to(w) : NONE;
    struct thing *t = &w->things[index];
    if (holder >= 0 && w->things[holder].sort == NODE) {
        set(&w->things[holder], (int)below(w, 2), index, into(w, t), NONE, NULL);
    } else {
        size_t root = below(w, ROOTS);
        w->roots[root] = index;
        roots->of[w->number][root] = address(t);
    }
}

static void drop(struct walker *w)
{
    int holder = walk_to(w);
    size_t root = below(w, ROOTS);
    if (below(w, 3) != 0 && holder >= 0 && w->things[holder].sort == NODE) {
        set(&w->things[holder], (int)below(w, 2), NONE, NULL, NONE, NULL);
    } else {
        w->roots[root] = NONE;
        roots->of[w->number][root] = NULL;
    }
}

/* A word for a place of a weak object: a thing, or a number; `fresh` if it is not -1. */
static void *something(struct walker *w, int fresh, int *target)
{
    *target = fresh >= 0 ? fresh : walk_to(w);
    if (*target < 0 || (fresh < 0 && below(w, 6) == 0)) {
        *target = NUMBER;
        return (void *)(2 * below(w, 1000000) + 1);
    }
    return into(w, &w->things[*target]);
}

/* Fills a place of a weak object that is reachable. */
static void fill(struct walker *w, int fresh)
{
    int table = walk_to(w), target, value = NONE;
    void *word, *value_word = NULL;
    for (int tries = 0; tries < 20 && (table < 0 || w->things[table].sort == NODE); tries++)
        table = walk_to(w);
    if (table < 0 || w->things[table].sort == NODE)
        return;
    word = something(w, below(w, 2) ? fresh : NONE, &target);
    if (w->things[table].sort == PAIRS)
        value_word = something(w, below(w, 2) ? fresh : NONE, &value);
    set(&w->things[table], (int)below(w, (size_t)w->things[table].places), target, word, value, value_word);
}

/* A weak object that is filled, grown, and freed by hand; what it held lives or dies by others. */
static void free_by_hand(struct walker *w)
{
    int is_pairs = below(w, 2) == 0, target;
    size_t room = 1 + below(w, 40), more = room + below(w, 3000);
    void **table = is_pairs ? (void **)gc_malloc_ephemerons(room) : gc_malloc_weak(room * sizeof(void *));
    size_t unit = is_pairs ? sizeof(gc_pair) : sizeof(void *);
    table[0] = something(w, NONE, &target);
    if (gc_weak_tombstone_set(table, (void *)7) != 0)
        fail(w, "a weak object is none");
    table = gc_realloc(table, more * unit);
    if (target >= 0 && gc_base(table[0]) != (void *)address(&w->things[target]))
        fail(w, "the first word of a resized weak object is %p", table[0]);
    for (size_t i = gc_usable_size(table) / sizeof(void *); i-- > 1;)
        if (table[i] != NULL && !(is_pairs && i == 2))
            fail(w, "word %zu of a resized weak object is %p", i, table[i]);
    gc_free(table);
}

/* ---- The naive twin ------------------------------------------------------------------------------------------------ */

static int reach(struct walker *w, int index)
{
    if (index < 0 || w->things[index].reached)
        return 0;
    w->things[index].reached = 1;
    return 1;
}

static void find_reachable(struct walker *w)
{
    int changed = 1;
    for (int i = 0; i < THINGS; i++)
        w->things[i].reached = 0;
    for (int i = 0; i < ROOTS; i++)
        reach(w, w->roots[i]);
    while (changed) {
        changed = 0;
        for (int i = 0; i < THINGS; i++) {
            struct thing *t = &w->things[i];
            for (int k = 0; t->hidden != 0 && t->reached && k < t->places; k++) {
                struct place *p = &t->place[k];
                if (t->sort == NODE)
                    changed |= reach(w, p->target);
                if (t->sort == PAIRS && (p->target == NUMBER || (p->target >= 0 && w->things[p->target].reached)))
                    changed |= reach(w, p->value);
            }
        }
    }
}

/* A place whose thing is unreachable: cleared, or by chance as it was; then the program clears it. */
static void check_dead(struct walker *w, struct thing *t, int place)
{
    struct place *p = &t->place[place];
    uintptr_t word = (uintptr_t)*word_of(t, place), value = t->sort == PAIRS ? (uintptr_t)word_of(t, place)[1] : 0;
    if (word == ~p->hidden && t->sort != NODE) {
        if (!gc_contains((void *)word))
            fail(w, "a place was left with %#lx, where no object is any more", (unsigned long)word);
        if (t->sort == PAIRS && value != ~p->hidden_value)
            fail(w, "a pair has lost its value %#lx, and not its key", (unsigned long)~p->hidden_value);
        w->stayed++;
        set(t, place, NONE, NULL, NONE, NULL);
        return;
    }
    if (word != t->tombstone || value != 0)
        fail(w, "a dead place holds %#lx and %#lx, not the tombstone %#lx", (unsigned long)word, (unsigned long)value,
             (unsigned long)t->tombstone);
    w->died++;
    t->died++;
    set(t, place, NUMBER, (void *)word, NONE, NULL);
}

static void check_thing(struct walker *w, int index)
{
    struct thing *t = &w->things[index];
    if (t->sort == NODE && *(uintptr_t *)address(t) != (uintptr_t)index * 2 + 1)
        fail(w, "node %d holds the number %#lx", index, (unsigned long)*(uintptr_t *)address(t));
    for (int k = 0; k < t->places; k++) {
        struct place *p = &t->place[k];
        if (p->target >= 0 && !w->things[p->target].reached) {
            check_dead(w, t, k);
            continue;
        }
        if ((uintptr_t)*word_of(t, k) != ~p->hidden)
            fail(w, "place %d of thing %d, a %s, was %#lx and is %p", k, index,
                 t->sort == NODE ? "node" : t->sort == WORDS ? "weak object" : "pair",
                 (unsigned long)~p->hidden, *word_of(t, k));
        if (t->sort == PAIRS && (uintptr_t)word_of(t, k)[1] != ~p->hidden_value)
            fail(w, "the value of pair %d of thing %d was %#lx and is %p", k, index, (unsigned long)~p->hidden_value,
                 word_of(t, k)[1]);
        w->kept += p->target >= 0;
    }
    /* Some that died were overwritten since. */
    if (t->sort != NODE && gc_weak_died(address(t)) < t->died)
        fail(w, "%zu places of thing %d died, and %zu are counted", t->died, index, gc_weak_died(address(t)));
}

/* Overwrites the dead part of the stack. */
static __attribute__((noinline)) void clear_stack(void)
{
    volatile char frame[16384];
    memset((void *)frame, 0, sizeof frame);
    __asm__ volatile("" : : "r"(frame) : "memory");
}

static void check(struct walker *w)
{
    clear_stack();
    gc_collect();
    find_reachable(w);
    for (int i = 0; i < THINGS; i++)
        if (w->things[i].hidden != 0 && w->things[i].reached)
            check_thing(w, i);
    for (int i = 0; i < THINGS; i++)
        if (w->things[i].hidden != 0 && !w->things[i].reached)
            w->things[i].hidden = 0;
    w->checks++;
}

/* ---- The walk ------------------------------------------------------------------------------------------------------ */

static void step(struct walker *w)
{
    size_t choice = below(w, 100);
    if (choice < 40) {
        int fresh = new_thing(w);
        if (fresh >= 0) {
            /* Held first, or perhaps never: then a weak place is all that has it. */
            if (below(w, 4) != 0)
                hold(w, fresh);
            fill(w, fresh);
            if (below(w, 2) == 0)
                fill(w, fresh);
            roots->fresh[w->number] = NULL;
        }
    } else if (choice < 80) {
        fill(w, NONE);
    } else if (choice < 95) {
        drop(w);
    } else {
        free_by_hand(w);
    }
}

static void *run(void *argument)
{
    struct walker *w = argument;
    w->things = table(THINGS * sizeof *w->things);
    w->random = seed * 2 + (uint64_t)w->number;
    for (int i = 0; i < ROOTS; i++)
        w->roots[i] = NONE;
    for (w->operation = 0; w->operation < operations; w->operation++) {
        step(w);
        if (below(w, 2000) == 0)
            check(w);
    }
    check(w);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    struct walker *walkers = table(THREADS_MAX * sizeof *walkers);
    int count, is_bad = 0;
    if (argc != 4)
        return 2;
    seed = strtoull(argv[1], NULL, 10);
    operations = strtol(argv[2], NULL, 10);
    count = atoi(argv[3]);
    roots = gc_malloc(sizeof *roots);
    for (int i = 0; i < count; i++) {
        walkers[i].number = i;
        pthread_create(&threads[i], NULL, run, &walkers[i]);
    }
    for (int i = 0; i < count; i++) {
        struct walker *w = &walkers[i];
        pthread_join(threads[i], NULL);
        printf("thread %d: %lu checks, %lu places kept, %lu cleared, %lu stayed\n", i, w->checks, w->kept, w->died, w->stayed);
        is_bad |= w->died < 100 || w->kept < 100 || w->stayed > 20 + w->died / 50;
    }
    if (is_bad)
        fprintf(stderr, "weak_walk: too few places died or were kept, or too many stayed\n");
    return is_bad;
}
