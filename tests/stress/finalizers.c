/*
 * A million objects with finalizers, weak cells and ephemerons.
 *
 * Objects come in families of four, made one after another; a family is dropped when WINDOW younger ones exist, so
 * most die in collections that the program never asked for. In every third family the four are ordered and form a
 * chain; in the others they are unordered, or wait until nothing about to be finalized reaches them. The oldest
 * FAMILIES_KEPT families live to the end: none of their finalizers may run before they are dropped.
 *
 * Shows:
 *   - no finalizer runs twice, and none runs while its object is held;
 *   - a finalizer finds its object and all it reaches intact, after every object that reaches it if it is ordered;
 *   - a short weak cell is clear when the finalizer runs and a long one is not; both are clear at the end;
 *   - an ephemeron keeps its value while its key is held, and loses both with the key although the value reaches it;
 *   - after a last collection at least 99 % of the finalizers have run.
 *
 *     finalizers [--objects N]
 */
#include "door.h"

#include <stdatomic.h>
#include <sys/mman.h>

enum { FAMILY = 4, WINDOW = 500, FAMILIES_KEPT = 10000, ROUNDS = FAMILY, DEADLINE_SECONDS = 300 };

struct object {
    struct object *next;            /* in an ordered family: the one that may be finalized only after this */
    struct cell *chain;             /* what the finalizer must find whole */
    uint64_t id, proof;
};

/* What the program knows of object i; outside the heap, and no root: addresses in it keep nothing. */
struct record {
    _Atomic uint8_t held, finalized;
    gc_weak *weak_short, *weak_long;
};
static struct record *records;

/* Each ephemeron's key is the first object of its family, its value a chain whose last word is the key. */
struct value {
    struct cell *chain;
    struct object *key;
    uint64_t id;
};
static gc_ephemeron **ephemerons;           /* one a family, a collected array: the ephemerons are all held */
static struct object **families;            /* one a family: the only path to it from a root */
static unsigned long objects, families_count, families_kept, weak_left, ephemerons_left;
static atomic_ulong finalizers_run;

enum family_kind { FAMILY_ORDERED, FAMILY_UNORDERED, FAMILY_UNREACHABLE, FAMILY_KINDS };

static enum family_kind family_kind(uint64_t id) { return (enum family_kind)(id / FAMILY % FAMILY_KINDS); }

static void object_check(const struct object *object, uint64_t id, const char *where)
{
    if (object == NULL || object->id != id || object->proof != mix(id))
        die("%s: object %llu is lost: %p", where, (unsigned long long)id, (const void *)object);
    chain_check(object->chain, id, 1 + id % 3, where);
}

static void finalize(void *pointer, void *data)
{
    struct object *object = pointer;
    uint64_t id = (uint64_t)(uintptr_t)data;
    struct record *record = &records[id];
    object_check(object, id, "finalizer");
    if (atomic_fetch_add(&record->finalized, 1) != 0)
        die("the finalizer of object %llu runs a second time", (unsigned long long)id);
    if (atomic_load(&record->held))
        die("the finalizer of object %llu runs while the object is held", (unsigned long long)id);
    if (gc_weak_get(record->weak_short) != NULL)
        die("the short weak cell of object %llu is not clear in its finalizer", (unsigned long long)id);
    if (gc_weak_get(record->weak_long) != object)
        die("the long weak cell of object %llu is clear before the object is gone", (unsigned long long)id);
    if (family_kind(id) == FAMILY_ORDERED && id % FAMILY != 0 && !atomic_load(&records[id - 1].finalized))
        die("the finalizer of object %llu runs before that of object %llu, which reaches it", (unsigned long long)id,
            (unsigned long long)id - 1);
    for (struct object *next = object->next; next != NULL; next = next->next)
        object_check(next, next->id, "finalizer, object reached from its own");
    atomic_fetch_add(&finalizers_run, 1);
}

static enum gc_finalizer_order order_of(uint64_t id)
{
    switch (family_kind(id)) {
    case FAMILY_ORDERED: return GC_FINALIZER_ORDERED;
    case FAMILY_UNORDERED: return GC_FINALIZER_UNORDERED;
    default: return GC_FINALIZER_UNREACHABLE;
    }
}

static struct object *object_new(struct object *next, uint64_t id)
{
    struct object *object = door_new(sizeof *object);
    *object = (struct object){ next, chain_new(id, 1 + id % 3), id, mix(id) };
    struct record *record = &records[id];
    atomic_store(&record->held, 1);
    record->weak_short = gc_weak_register(object, GC_WEAK_SHORT);
    record->weak_long = gc_weak_register(object, GC_WEAK_LONG);
    if (record->weak_short == NULL || record->weak_long == NULL)
        die("no weak cell for object %llu: %s", (unsigned long long)id, strerror(errno));
    int error = gc_finalizer_set(object, finalize, (void *)(uintptr_t)id, order_of(id));
    if (error != 0)
        die("gc_finalizer_set: %s", strerror(error));
    return object;
}

/* The four of a family, the last made first; one that is not ordered is reached by its neighbour all the same. */
static void family_new(uint64_t family)
{
    struct object *first = NULL;
    for (uint64_t i = FAMILY; i-- > 0;)
        first = object_new(first, family * FAMILY + i);
    families[family] = first;
    struct value *value = door_new(sizeof *value);
    *value = (struct value){ chain_new(family, 3), first, family };
    ephemerons[family] = gc_ephemeron_new(first, value);
    if (ephemerons[family] == NULL)
        die("no ephemeron for family %llu: %s", (unsigned long long)family, strerror(errno));
}

/* The family is held: so is all that hangs on it. */
static void family_check(uint64_t family)
{
    struct object *object = families[family];
    if (gc_ephemeron_key(ephemerons[family]) != object)
        die("the ephemeron of family %llu has lost its key, which is held", (unsigned long long)family);
    struct value *value = gc_ephemeron_value(ephemerons[family]);
    if (value == NULL || value->id != family || value->key != object)
        die("the ephemeron of family %llu has lost its value, whose key is held", (unsigned long long)family);
    chain_check(value->chain, family, 3, "value of an ephemeron");
    for (uint64_t i = 0; i < FAMILY; i++, object = object->next) {
        uint64_t id = family * FAMILY + i;
        object_check(object, id, "object held");
        if (gc_weak_get(records[id].weak_short) != object || gc_weak_get(records[id].weak_long) != object)
            die("a weak cell of object %llu is clear although the object is held", (unsigned long long)id);
    }
}

static void family_drop(uint64_t family)
{
    family_check(family);
    for (uint64_t id = family * FAMILY; id < (family + 1) * FAMILY; id++)
        atomic_store(&records[id].held, 0);
    families[family] = NULL;
}

static void records_map(void)
{
    records = mmap(NULL, objects * sizeof *records, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (records == MAP_FAILED)
        die("mmap of the records: %s", strerror(errno));
    families = door_new(families_count * sizeof *families);
    ephemerons = door_new(families_count * sizeof *ephemerons);
}

/* How many objects still have a weak cell, or families an ephemeron, that is not clear. */
static void count_left(void *data)
{
    (void)data;
    for (uint64_t id = 0; id < objects; id++)
        weak_left += gc_weak_get(records[id].weak_short) != NULL || gc_weak_get(records[id].weak_long) != NULL;
    for (uint64_t family = 0; family < families_count; family++)
        ephemerons_left += gc_ephemeron_key(ephemerons[family]) != NULL
                        || gc_ephemeron_value(ephemerons[family]) != NULL;
}

/* The life of the program: families are made, and those older than the window dropped, but for the oldest of all. */
static void families_live(void *data)
{
    (void)data;
    for (uint64_t family = 0; family < families_count; family++) {
        family_new(family);
        if (family >= families_kept + WINDOW)
            family_drop(family - WINDOW);
    }
}

static void families_drop(void *data)
{
    (void)data;
    for (uint64_t family = 0; family < families_kept; family++)
        family_drop(family);
    for (uint64_t family = families_count - WINDOW; family < families_count; family++)
        family_drop(family);
}

int main(int argc, char **argv)
{
    deadline(DEADLINE_SECONDS);
    objects = argument(argc, argv, "--objects", 1000000) / FAMILY * FAMILY;
    families_count = objects / FAMILY;
    families_kept = families_count / 2 < FAMILIES_KEPT ? families_count / 2 : FAMILIES_KEPT;
    if (families_kept <= WINDOW)
        die("--objects takes at least %d", 2 * FAMILY * (WINDOW + 1));
    records_map();
    double started = now_s();

    aside(families_live, NULL);
    unsigned long run_before = atomic_load(&finalizers_run), collections_before = gc_collections();
    aside(families_drop, NULL);

    /* An ordered chain of four takes four collections; the fifth is the last collection of this test's name. */
    for (int round = 0; round <= ROUNDS; round++) {
        gc_collect();
        gc_finalizers_run();
    }
    unsigned long run = atomic_load(&finalizers_run);
    gc_collect();
    aside(count_left, NULL);
    printf("finalizers: objects=%lu finalizers_run=%lu before_the_last_rounds=%lu collections=%lu (%lu unasked) "
           "weak_left=%lu ephemerons_left=%lu seconds=%.1f\n", objects, run, run_before, gc_collections(),
           collections_before, weak_left, ephemerons_left, now_s() - started);
    if (run * 100 < objects * 99)
        die("%lu of %lu finalizers have run, fewer than 99 %%", run, objects);
    if (weak_left * 100 > objects || ephemerons_left * 100 > families_count)
        die("%lu weak cells and %lu ephemerons of dead objects are not clear", weak_left, ephemerons_left);
    return 0;
}
