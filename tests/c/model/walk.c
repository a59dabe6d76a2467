/* A random walk over the heap beside a naive twin.
 *
 * usage: walk SEED OPERATIONS THREADS (exact|refused)
 *
 * Each step allocates, frees, resizes, links, drops or collects, and does the same to the twin: a table that knows of
 * every object its bytes, its contents and who points to it.  The table holds addresses inverted, so that it keeps
 * nothing.  An object lives while the array `roots` has it, or an object that lives; each object points to at most one
 * other and is pointed to by at most one, so liveness is a walk up a chain (or round a ring, which dies whole).  The
 * array is an object of the heap itself: there, an address keeps nothing that ends where it points.
 *
 * What is expected: an object is where it was, as it was, until the twin says that it is dead; no two overlap; what is
 * promised zero is zero; a resized one keeps its contents; and of those that die nearly all are gone after gc_collect
 * (nearly: a stale word of a stack keeps one now and then).
 *
 * "refused": the system refuses memory, so an allocation may fail, and must leave everything as it was.
 */
#define _GNU_SOURCE
#include <gleaner.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OBJECTS = 10000, THREADS_MAX = 4, MAIL = 64, DROPPED = 4096, NONE = -1 };

enum kind { MALLOC, SCANNED, POINTER_FREE, UNCOLLECTABLE, TYPED };

/* One object, as the twin knows it. */
struct twin {
    uintptr_t hidden; /* ~ its address; 0: the entry is free */
    size_t bytes, usable;
    uint64_t pattern;
    uintptr_t decoy; /* ~ what a pointer-free object has in its first word, which keeps nothing; or 0 */
    enum kind kind;
    int held; /* in roots, or uncollectable */
    int child, parent;
};

struct walker {
    int number;
    uint64_t random;
    long operation;
    struct twin *twins;
    int *alive; /* the entries in use, in any order, and where each is */
    int *place;
    int alive_count;
    uintptr_t *dropped; /* ~ addresses that died since the last collection */
    int dropped_count;
    unsigned long dropped_in;
    unsigned long died, stayed, refusals;
};

/* What holds the objects; the program only writes it, hence volatile. */
struct roots {
    void *volatile of[THREADS_MAX][OBJECTS];
    void *volatile mail[MAIL];
};
static struct roots *roots;

/* Objects on their way from one thread to another. */
static pthread_mutex_t mail_lock = PTHREAD_MUTEX_INITIALIZER;
static struct twin *mail;

static uint64_t seed;
static long operations;
static int thread_count, may_be_refused;
static gc_layout first_word;

static __attribute__((noreturn, format(printf, 2, 3))) void fail(struct walker *w, const char *format, ...) {
    char line[512];
    int length = snprintf(line, sizeof line, "walk: seed %llu, thread %d, operation %ld: ", (unsigned long long)seed,
                          w->number, w->operation);
    va_list arguments;
    va_start(arguments, format);
    length += vsnprintf(line + length, sizeof line - (size_t)length, format, arguments);
    va_end(arguments);
    line[length < 510 ? length : 510] = '\n';
    if (write(2, line, (size_t)(length < 510 ? length : 510) + 1) < 0)
        _exit(2);
    _exit(1);
}

/* Memory that the heap knows nothing of. */
static void *table(size_t bytes) {
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        perror("walk: mmap");
        _exit(2);
    }
    return p;
}

static uint64_t mix(uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static uint64_t next(struct walker *w) {
    return mix(w->random += 0x9e3779b97f4a7c15u);
}

static size_t below(struct walker *w, size_t end) {
    return (size_t)(next(w) % end);
}

/* ---- Contents ---- */

static unsigned char *address(const struct twin *t) {
    return (unsigned char *)~t->hidden;
}

static int can_link(const struct twin *t) {
    return t->kind != POINTER_FREE && t->bytes >= sizeof(void *);
}

/* The first byte of the pattern: the first word may be a pointer. */
static size_t pattern_start(const struct twin *t) {
    return t->bytes >= sizeof(void *) ? sizeof(void *) : 0;
}

/* Never an address: the highest bit of each word is set. */
static uint64_t pattern_word(const struct twin *t, size_t offset) {
    return mix(t->pattern + offset) | 1ull << 63;
}

static void fill(struct twin *t) {
    unsigned char *p = address(t);
    for (size_t at = pattern_start(t); at < t->usable; at += 8) {
        uint64_t word = pattern_word(t, at);
        memcpy(p + at, &word, t->usable - at < 8 ? t->usable - at : 8);
    }
}

static void check_contents(struct walker *w, const struct twin *t, size_t end) {
    const unsigned char *p = address(t);
    for (size_t at = pattern_start(t); at < end; at += 8) {
        uint64_t word = pattern_word(t, at);
        if (memcmp(p + at, &word, end - at < 8 ? end - at : 8) != 0)
            fail(w, "byte %zu of the object of %zu bytes at %p has changed", at, t->bytes, (const void *)p);
    }
}

static void check_first_word(struct walker *w, const struct twin *t) {
    uintptr_t expected, found;
    if (t->bytes < sizeof(void *))
        return;
    expected = t->child != NONE ? ~w->twins[t->child].hidden : t->decoy != 0 ? ~t->decoy : 0;
    memcpy(&found, address(t), sizeof found);
    if (found != expected)
        fail(w, "the first word of the object at %p is %#zx and was %#zx", (void *)address(t), (size_t)found,
             (size_t)expected);
}

static void check(struct walker *w, const struct twin *t) {
    unsigned char *p = address(t);
    size_t inside = below(w, t->usable ? t->usable : 1);
    if (gc_base(p + inside) != p)
        fail(w, "gc_base of byte %zu of the object of %zu bytes at %p is %p", inside, t->bytes, (void *)p,
             gc_base(p + inside));
    if (gc_usable_size(p) != t->usable)
        fail(w, "the object at %p has %zu usable bytes and had %zu", (void *)p, gc_usable_size(p), t->usable);
    check_first_word(w, t);
    check_contents(w, t, t->usable);
}

static void check_zero(struct walker *w, const unsigned char *p, size_t bytes) {
    for (size_t at = 0; at < bytes; at++)
        if (p[at] != 0)
            fail(w, "byte %zu of %zu at %p is promised zero and is %#x", at, bytes, (const void *)p, p[at]);
}

/* ---- The twin's table ---- */

static int take_entry(struct walker *w) {
    int index = w->alive[w->alive_count];
    w->place[index] = w->alive_count++;
    return index;
}

static void give_entry(struct walker *w, int index) {
    int last = w->alive[--w->alive_count], at = w->place[index];
    w->alive[at] = last;
    w->place[last] = at;
    w->alive[w->alive_count] = index;
    w->twins[index].hidden = 0;
}

static struct twin *some(struct walker *w, int *index) {
    *index = w->alive[below(w, (size_t)w->alive_count)];
    return &w->twins[*index];
}

static void set_first_word(const struct twin *t, uintptr_t word) {
    memcpy(address(t), &word, sizeof word);
}

static int is_reachable(struct walker *w, int index) {
    int at = index;
    do {
        if (w->twins[at].held)
            return 1;
        at = w->twins[at].parent;
    } while (at != NONE && at != index);
    return 0;
}

static void note_dropped(struct walker *w, uintptr_t hidden) {
    if (w->dropped_in != gc_collections()) {
        w->dropped_in = gc_collections();
        w->dropped_count = 0;
    }
    if (w->dropped_count < DROPPED)
        w->dropped[w->dropped_count++] = hidden;
}

/* What only `index` kept dies with it: down the chain to the first that is held, or once round the ring. */
static void settle(struct walker *w, int index) {
    if (is_reachable(w, index))
        return;
    while (index != NONE && w->twins[index].hidden != 0 && !w->twins[index].held) {
        struct twin *t = &w->twins[index];
        int child = t->child;
        note_dropped(w, t->hidden);
        give_entry(w, index);
        index = child;
    }
    if (index != NONE && w->twins[index].hidden != 0)
        w->twins[index].parent = NONE;
}

/* Takes the link from `index` to its child away, in the twin only. */
static void unlink_child(struct walker *w, int index) {
    int child = w->twins[index].child;
    w->twins[index].child = NONE;
    if (child != NONE) {
        w->twins[child].parent = NONE;
        settle(w, child);
    }
}

/* ---- Steps ---- */

static size_t some_size(struct walker *w) {
    switch (below(w, 64)) {
    case 0: return below(w, 8) == 0 ? below(w, 300 << 10) : below(w, 30000);
    case 1: return below(w, 40) == 0 ? below(w, 2 << 20) : below(w, 70000);
    case 2: case 3: case 4: return below(w, 9000);
    case 5: return (size_t)16 << below(w, 10); /* exactly a slot, often */
    default: return below(w, 400);
    }
}

static void *allocate(struct walker *w, struct twin *t, size_t *align, int *zeroed) {
    size_t bytes = t->bytes;
    void *p = NULL;
    *align = 16;
    *zeroed = 0;
    switch (below(w, 12)) {
    case 0: case 1: case 2:
        t->kind = MALLOC;
        return malloc(bytes);
    case 3:
        t->kind = MALLOC, *zeroed = 1;
        return calloc(bytes / 8 + 1, 8);
    case 4:
        t->kind = MALLOC, *align = (size_t)16 << below(w, below(w, 20) == 0 ? 14 : 9);
        return posix_memalign(&p, *align, bytes) == 0 ? p : NULL;
    case 5: case 6:
        t->kind = SCANNED, *zeroed = 1;
        return gc_malloc(bytes);
    case 7:
        t->kind = SCANNED, *zeroed = 1;
        return gc_calloc(1, bytes);
    case 8:
        t->kind = SCANNED, *zeroed = 1, *align = (size_t)16 << below(w, 9);
        return gc_memalign(*align, bytes);
    case 9:
        t->kind = POINTER_FREE;
        return gc_malloc_atomic(bytes);
    case 10:
        t->kind = UNCOLLECTABLE, *zeroed = 1;
        return gc_malloc_uncollectable(bytes);
    default:
        t->kind = TYPED, *zeroed = 1;
        return gc_malloc_typed(bytes, first_word);
    }
}

static void refused(struct walker *w, size_t bytes) {
    if (!may_be_refused)
        fail(w, "no memory for %zu bytes", bytes);
    w->refusals++;
}

static void step_allocate(struct walker *w) {
    struct twin made = {.bytes = some_size(w), .pattern = next(w), .held = 1, .child = NONE, .parent = NONE};
    size_t align;
    int zeroed, index;
    unsigned char *p;
    if (w->alive_count == OBJECTS)
        return;
    p = allocate(w, &made, &align, &zeroed);
    if (p == NULL) {
        refused(w, made.bytes);
        return;
    }
    if ((uintptr_t)p % align != 0)
        fail(w, "%p is not a multiple of %zu", (void *)p, align);
    if (zeroed)
        check_zero(w, p, made.bytes);
    made.hidden = ~(uintptr_t)p;
    made.usable = gc_usable_size(p);
    if (made.usable < made.bytes || malloc_usable_size(p) != made.usable)
        fail(w, "%zu bytes were asked for at %p, and %zu or %zu can be used", made.bytes, (void *)p, made.usable,
             malloc_usable_size(p));
    index = take_entry(w);
    if (made.kind != UNCOLLECTABLE)
        roots->of[w->number][index] = p;
    if (made.bytes >= sizeof(void *) && made.kind == POINTER_FREE && w->alive_count > 1)
        made.decoy = some(w, &(int){0})->hidden;
    w->twins[index] = made;
    if (made.bytes >= sizeof(void *))
        set_first_word(&made, made.decoy != 0 ? ~made.decoy : 0);
    fill(&w->twins[index]);
}

static void release(struct walker *w, void *p) {
    if (below(w, 2) == 0)
        free(p);
    else
        gc_free(p);
}

/* The program ends an object by hand: who pointed to it forgets it, and what only it kept dies. */
static void step_free(struct walker *w) {
    int index;
    struct twin *t = some(w, &index);
    check(w, t);
    if (t->parent != NONE) {
        set_first_word(&w->twins[t->parent], 0);
        w->twins[t->parent].child = NONE;
        t->parent = NONE;
    }
    roots->of[w->number][index] = NULL;
    if (t->child != index)
        unlink_child(w, index);
    release(w, address(t));
    give_entry(w, index);
}

static void step_drop(struct walker *w) {
    int index;
    struct twin *t = some(w, &index);
    if (t->kind == UNCOLLECTABLE)
        return;
    roots->of[w->number][index] = NULL;
    t->held = 0;
    settle(w, index);
}

static void step_hold(struct walker *w) {
    int index;
    struct twin *t = some(w, &index);
    if (t->kind != UNCOLLECTABLE) {
        t->held = 1;
        roots->of[w->number][index] = address(t);
    }
}

static void step_link(struct walker *w) {
    int from, to;
    struct twin *t = some(w, &from), *u = some(w, &to);
    if (!can_link(t) || t->child != NONE || u->parent != NONE)
        return;
    t->child = to;
    u->parent = from;
    set_first_word(t, ~u->hidden);
}

static void step_unlink(struct walker *w) {
    int index;
    struct twin *t = some(w, &index);
    if (t->child == NONE)
        return;
    set_first_word(t, 0);
    unlink_child(w, index);
}

static void step_resize(struct walker *w) {
    int index;
    struct twin *t = some(w, &index);
    size_t bytes = some_size(w) + 1, kept = bytes < t->bytes ? bytes : t->bytes;
    unsigned char *p;
    check(w, t);
    p = t->kind == MALLOC && below(w, 2) == 0 ? realloc(address(t), bytes) : gc_realloc(address(t), bytes);
    if (p == NULL) {
        refused(w, bytes);
        check(w, t);
        return;
    }
    t->hidden = ~(uintptr_t)p;
    if (t->kind != UNCOLLECTABLE && t->held)
        roots->of[w->number][index] = p;
    if (t->parent != NONE)
        set_first_word(&w->twins[t->parent], (uintptr_t)p);
    /* As before, up to the shorter of both sizes; a first word that did not fit or was none begins anew. */
    if (kept >= sizeof(void *)) {
        check_first_word(w, t);
        check_contents(w, t, kept);
    }
    t->bytes = bytes;
    t->usable = gc_usable_size(p);
    if (t->usable < bytes)
        fail(w, "resized to %zu bytes, and %zu can be used", bytes, t->usable);
    if (kept < sizeof(void *)) {
        t->decoy = 0;
        if (t->child == index)
            t->child = t->parent = NONE;
        else
            unlink_child(w, index);
        if (bytes >= sizeof(void *))
            set_first_word(t, 0);
    }
    fill(t);
    /* It held itself by a link that is gone. */
    settle(w, index);
}

static void step_check(struct walker *w) {
    int index;
    check(w, some(w, &index));
}

/* An object with no links goes into the mail, or one comes out of it. */
static void step_mail(struct walker *w) {
    int index, box = (int)below(w, MAIL);
    struct twin *t = some(w, &index);
    pthread_mutex_lock(&mail_lock);
    if (mail[box].hidden == 0 && t->held && t->child == NONE && t->parent == NONE && t->decoy == 0) {
        mail[box] = *t;
        roots->mail[box] = address(t);
        roots->of[w->number][index] = NULL;
        give_entry(w, index);
    } else if (mail[box].hidden != 0 && w->alive_count < OBJECTS) {
        index = take_entry(w);
        w->twins[index] = mail[box];
        if (mail[box].kind != UNCOLLECTABLE)
            roots->of[w->number][index] = address(&mail[box]);
        mail[box].hidden = 0;
        roots->mail[box] = NULL;
        check(w, &w->twins[index]);
    }
    pthread_mutex_unlock(&mail_lock);
}

/* A thread that does nothing but free, and is gone. */
static void *empty_mail(void *unused) {
    (void)unused;
    pthread_mutex_lock(&mail_lock);
    for (int box = 0; box < MAIL; box++) {
        if (mail[box].hidden != 0)
            free(address(&mail[box]));
        mail[box].hidden = 0;
        roots->mail[box] = NULL;
    }
    pthread_mutex_unlock(&mail_lock);
    return NULL;
}

static void step_thread(struct walker *w) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, empty_mail, NULL);
    if (error == 0)
        pthread_join(thread, NULL);
    else
        refused(w, 0);
}

static int by_address(const void *a, const void *b) {
    uintptr_t x = **(const uintptr_t *const *)a, y = **(const uintptr_t *const *)b;
    return (x < y) - (x > y); /* inverted, as they are stored */
}

/* All objects of this walker: each as it was, and no two overlap. */
static void check_all(struct walker *w) {
    static __thread struct twin *sorted[OBJECTS]; /* pointers into the table, not to objects */
    for (int i = 0; i < w->alive_count; i++) {
        sorted[i] = &w->twins[w->alive[i]];
        check(w, sorted[i]);
    }
    qsort(sorted, (size_t)w->alive_count, sizeof *sorted, by_address);
    for (int i = 1; i < w->alive_count; i++)
        if (address(sorted[i - 1]) + sorted[i - 1]->usable > address(sorted[i]))
            fail(w, "the objects at %p and %p overlap", (void *)address(sorted[i - 1]), (void *)address(sorted[i]));
}

static __attribute__((noinline)) void wipe_stack(void) {
    volatile char waste[8192];
    memset((char *)waste, 0, sizeof waste);
}

static uint64_t stops_abandoned(void) {
    gc_stats stats = {.size = sizeof stats};
    gc_stats_get(&stats);
    return stats.stops_abandoned;
}

/* What died since the last collection is gone after this one.  Only one thread can tell: another may have taken the
 * slots again. */
static void step_collect(struct walker *w) {
    unsigned long before = gc_collections();
    uint64_t abandoned = stops_abandoned();
    int count = w->dropped_in == before ? w->dropped_count : 0;
    wipe_stack();
    gc_collect();
    if (gc_collections() == before) {
        /* On a busy machine a thread may not stop in time; the statistics say so. */
        if (!may_be_refused && stops_abandoned() == abandoned)
            fail(w, "gc_collect has not collected, and no stop was abandoned");
        return;
    }
    for (int i = 0; i < count && thread_count == 1; i++)
        w->stayed += gc_base((void *)~w->dropped[i]) == (void *)~w->dropped[i];
    w->died += thread_count == 1 ? (unsigned long)count : 0;
    w->dropped_count = 0;
}

static void step(struct walker *w) {
    size_t choice = below(w, 2000);
    if (choice < 800 || w->alive_count < 16)
        step_allocate(w);
    else if (choice < 1080)
        step_free(w);
    else if (choice < 1360)
        step_drop(w);
    else if (choice < 1500)
        step_resize(w);
    else if (choice < 1650)
        step_link(w);
    else if (choice < 1720)
        step_unlink(w);
    else if (choice < 1780)
        step_hold(w);
    else if (choice < 1900)
        step_check(w);
    else if (choice < 1994)
        step_mail(w);
    else if (choice < 1995)
        step_collect(w);
    else if (choice < 1996)
        step_thread(w);
    else if (w->operation % 4 == 0)
        check_all(w);
}

static void *walk(void *p) {
    struct walker *w = p;
    for (w->operation = 0; w->operation < operations; w->operation++)
        step(w);
    check_all(w);
    return NULL;
}

static void prepare(struct walker *w, int number) {
    w->number = number;
    w->random = mix(seed + (uint64_t)number);
    w->twins = table(OBJECTS * sizeof *w->twins);
    w->alive = table(OBJECTS * sizeof *w->alive);
    w->place = table(OBJECTS * sizeof *w->place);
    w->dropped = table(DROPPED * sizeof *w->dropped);
    for (int i = 0; i < OBJECTS; i++)
        w->alive[i] = i;
}

int main(int argc, char **argv) {
    static struct walker walkers[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    unsigned long died = 0, stayed = 0, refusals = 0;
    const unsigned long bit = 1;
    if (argc != 5)
        return 2;
    seed = strtoull(argv[1], NULL, 10);
    operations = strtol(argv[2], NULL, 10);
    thread_count = atoi(argv[3]);
    may_be_refused = strcmp(argv[4], "refused") == 0;
    if (thread_count < 1 || thread_count > THREADS_MAX)
        return 2;
    mail = table(MAIL * sizeof *mail);
    /* Under refusal the first tries may fail. */
    for (int i = 0; (first_word == 0 || roots == NULL) && i < 100; i++) {
        first_word = first_word ? first_word : gc_layout_from_bitmap(&bit, 1);
        roots = roots ? roots : gc_malloc(sizeof *roots);
    }
    if (first_word == 0 || roots == NULL)
        return 2;
    for (int i = 0; i < thread_count; i++)
        prepare(&walkers[i], i);
    for (int i = 1; i < thread_count; i++) {
        int error;
        do
            error = pthread_create(&threads[i], NULL, walk, &walkers[i]);
        while (error != 0 && may_be_refused);
        if (error != 0)
            return 2;
    }
    walk(&walkers[0]);
    for (int i = 1; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < thread_count; i++) {
        died += walkers[i].died;
        stayed += walkers[i].stayed;
        refusals += walkers[i].refusals;
    }
    printf("walk: seed %llu: %lu collections, %lu objects died and %lu of them stayed, %lu refusals\n",
           (unsigned long long)seed, gc_collections(), died, stayed, refusals);
    if (stayed > 32 + died / 20)
        fail(&walkers[0], "%lu of %lu dead objects are still there after a collection", stayed, died);
    if (refusals > (unsigned long)operations * (unsigned long)thread_count / 4)
        fail(&walkers[0], "%lu of %ld requests were refused", refusals, operations * thread_count);
    return gc_collections() > 0 ? 0 : 3;
}
