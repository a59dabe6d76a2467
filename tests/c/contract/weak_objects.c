/* Weak objects: words and ephemerons that die are cleared and counted, what is no address of an object is left alone,
 * and nothing is kept by them. */
#include "check.h"
#include <sys/wait.h>
#include <unistd.h>

/* Words of a weak object, by what they hold. */
enum { LIVES, LIVES_INSIDE, LIVES_TAGGED, DIES, DIES_INSIDE, DIES_TAGGED, A_NUMBER, A_STATIC, WAYS };

static const char a_static[64] = "not of the heap";
static void *live[MANY];
static void **words;
static gc_pair *pairs;

static void *some(int way, size_t i)
{
    /* Sizes of their own: a root at a live object also keeps the slot that ends there. */
    static const size_t sizes[WAYS] = { 48, 48, 48, 80, 96, 112, 16, 16 };
    char *object = gc_malloc(sizes[way]);
    *(size_t *)object = i;
    if (way <= LIVES_TAGGED)
        *(void **)(object + 8) = live[i], live[i] = object;
    switch (way) {
    case LIVES_INSIDE:
    case DIES_INSIDE: return object + 40;
    case LIVES_TAGGED:
    case DIES_TAGGED: return object + 5;
    case A_NUMBER: return (void *)(2 * i + 1);
    case A_STATIC: return (void *)&a_static[i % 64];
    default: return object;
    }
}

static size_t room_of(size_t count)
{
    return count * WAYS;
}

/* ---- Weak words ------------------------------------------------------------------------------------------------ */

static void fill_words(void)
{
    words = gc_malloc_weak(room_of(MANY) * sizeof *words);
    CHECK(words != NULL && gc_usable_size(words) >= room_of(MANY) * sizeof *words, "no weak object, or a small one");
    for (size_t i = 0; i < gc_usable_size(words) / sizeof *words; i++)
        CHECK(words[i] == NULL, "word %zu of a new one is %p", i, words[i]);
    for (size_t i = 0; i < MANY; i++)
        for (int way = 0; way < WAYS; way++)
            words[i * WAYS + (size_t)way] = some(way, i);
}

/* How many of a way have become `tombstone`. */
static size_t gone(void *const *at, size_t stride, int way, void *tombstone)
{
    size_t n = 0;
    for (size_t i = 0; i < MANY; i++)
        n += at[(i * WAYS + (size_t)way) * stride] == tombstone;
    return n;
}

static void check_words(void *const *at, size_t stride, const char *of, void *tombstone)
{
    static const int dying[] = { DIES, DIES_INSIDE, DIES_TAGGED };
    for (int way = 0; way < WAYS; way++)
        if (way < DIES || way > DIES_TAGGED)
            CHECK(gone(at, stride, way, tombstone) == 0, "%zu %s of sort %d are gone", gone(at, stride, way, tombstone), of, way);
    for (int k = 0; k < 3; k++)
        CHECK(gone(at, stride, dying[k], tombstone) >= MOST(MANY), "%zu %s of sort %d stay",
              MANY - gone(at, stride, dying[k], tombstone), of, dying[k]);
    for (size_t i = 0; i < MANY; i++) {
        size_t *object = at[i * WAYS * stride];
        CHECK(*object == i, "the object of word %zu is damaged", i);
        CHECK(at[(i * WAYS + A_NUMBER) * stride] == (void *)(2 * i + 1), "number %zu has changed", i);
        CHECK(at[(i * WAYS + A_STATIC) * stride] == (void *)&a_static[i % 64], "static address %zu has changed", i);
    }
}

static void weak_words(void)
{
    memset(live, 0, sizeof live);
    run(fill_words);
    uint64_t before = stats().weak_cleared - gc_weak_died(words);
    gc_collect();
    check_words(words, 1, "words", NULL);
    size_t died = gone(words, 1, DIES, NULL) + gone(words, 1, DIES_INSIDE, NULL) + gone(words, 1, DIES_TAGGED, NULL);
    CHECK(gc_weak_died(words) == died, "%zu are counted, %zu have died", gc_weak_died(words), died);
    CHECK(stats().weak_cleared - before >= died, "the statistics count %lu", (unsigned long)(stats().weak_cleared - before));

    /* The rest dies too, with a tombstone; what a resize moves keeps it and the count. */
    CHECK(gc_weak_tombstone_set(words, (void *)9) == 0, "no tombstone");
    words = gc_realloc(words, 3 * room_of(MANY) * sizeof *words);
    CHECK(words != NULL && gc_weak_died(words) == died, "%zu are counted after the move", gc_weak_died(words));
    memset(live, 0, sizeof live);
    clear_stack(16);
    gc_collect();
    CHECK(gone(words, 1, LIVES, (void *)9) >= MOST(MANY), "%zu have become the tombstone", gone(words, 1, LIVES, (void *)9));
    CHECK(gc_weak_died(words) > died + MOST(MANY), "%zu are counted", gc_weak_died(words));
}

/* ---- Ephemerons ------------------------------------------------------------------------------------------------ */

static gc_weak *values[MANY][WAYS];

static void fill_pairs(void)
{
    pairs = gc_malloc_ephemerons(room_of(MANY));
    CHECK(pairs != NULL && gc_usable_size(pairs) >= room_of(MANY) * sizeof *pairs, "no array, or a small one");
    for (size_t i = 0; i < gc_usable_size(pairs) / sizeof *pairs; i++)
        CHECK(pairs[i].key == NULL && pairs[i].value == NULL, "pair %zu of a new array is not empty", i);
    for (size_t i = 0; i < MANY; i++)
        for (int way = 0; way < WAYS; way++) {
            void **value = gc_malloc(240);
            gc_pair *pair = &pairs[i * WAYS + (size_t)way];
            pair->value = value;
            pair->key = some(way, i);
            /* Held by its own value, a key dies all the same. */
            value[0] = pair->key;
            value[1] = (void *)i;
            values[i][way] = observe(value);
        }
}

static size_t values_gone(int way)
{
    size_t n = 0;
    for (size_t i = 0; i < MANY; i++)
        n += gc_weak_get(values[i][way]) == NULL;
    return n;
}

static void ephemerons(void)
{
    memset(live, 0, sizeof live);
    run(fill_pairs);
    gc_collect();
    check_words(&pairs->key, 3, "keys", NULL);
    for (size_t i = 0; i < room_of(MANY); i++)
        CHECK((pairs[i].key == NULL) == (pairs[i].value == NULL), "pair %zu has lost its %s only", i,
              pairs[i].key == NULL ? "key" : "value");
    for (size_t i = 0; i < MANY; i++)
        CHECK(((void **)pairs[i * WAYS].value)[1] == (void *)i, "value %zu is damaged", i);
    /* A value dies in the collection that finds its key dead. */
    for (int way = 0; way < WAYS; way++)
        if (way >= DIES && way <= DIES_TAGGED)
            CHECK(values_gone(way) >= MOST(MANY), "%zu values outlive keys of sort %d", MANY - values_gone(way), way);
        else
            CHECK(values_gone(way) == 0, "%zu values of sort %d are gone", values_gone(way), way);

    /* Without an array there are no values. */
    pairs = NULL;
    clear_stack(16);
    gc_collect();
    CHECK(values_gone(LIVES) >= MOST(MANY), "%zu values outlive their array", MANY - values_gone(LIVES));
}

/* A pair without a key: its value is kept by nobody, and left as it is. */
static void a_pair_without_a_key(void)
{
    pairs = gc_malloc_ephemerons(2);
    CHECK(gc_weak_tombstone_set(pairs, (void *)3) == 0, "no tombstone");
    pairs[0].value = (void *)77;
    gc_collect();
    CHECK(pairs[0].key == NULL && pairs[0].value == (void *)77, "the pair is %p, %p", pairs[0].key, pairs[0].value);
    CHECK(gc_weak_died(pairs) == 0, "it has died");
}

/* ---- Chains ---------------------------------------------------------------------------------------------------- */

enum { ARRAYS = 10, LINKS = 3000 };

static gc_pair *arrays[ARRAYS];
static void *first_key;

/* Each value is the next pair's key, in another array; the first key alone has a root. */
static void build_chain(void)
{
    size_t *key = gc_malloc(16), *next;
    first_key = key;
    for (int i = 0; i < ARRAYS; i++)
        arrays[i] = gc_malloc_ephemerons(LINKS / ARRAYS);
    for (size_t i = 0; i < LINKS; i++, key = next) {
        /* Backwards in each array: a marker that goes through it once finds none. */
        gc_pair *pair = &arrays[i % ARRAYS][LINKS / ARRAYS - 1 - i / ARRAYS];
        next = gc_malloc(16);
        *next = i + 1;
        pair->value = next;
        pair->key = key;
    }
}

static void check_chain(void)
{
    size_t *key = first_key;
    for (size_t i = 0; i < LINKS; i++) {
        gc_pair *pair = &arrays[i % ARRAYS][LINKS / ARRAYS - 1 - i / ARRAYS];
        CHECK(pair->key == key, "the chain of %d breaks at pair %zu", LINKS, i);
        key = pair->value;
        CHECK(*key == i + 1, "the value of pair %zu is damaged", i);
    }
}

static void chain(void)
{
    run(build_chain);
    gc_collect();
    run(check_chain);
    first_key = NULL;
    gc_collect();
    size_t died = 0;
    for (int i = 0; i < ARRAYS; i++)
        died += gc_weak_died(arrays[i]);
    /* One stale word keeps all that comes after it. */
    CHECK(died >= 10, "%zu of a dead chain of %d died", died, LINKS);
}

/* ---- Finalizers ------------------------------------------------------------------------------------------------ */

static size_t finalized, found_by_key;

static void finalizer(void *object, void *data)
{
    (void)data;
    finalized++;
    for (size_t i = 0; i < MANY; i++) {
        if (words[i] == object) {
            CHECK(0, "a weak word holds an object that is being finalized");
        }
        if (pairs[i].key == object)
            found_by_key += *(size_t *)pairs[i].value == i;
    }
}

static void fill_finalized(void)
{
    words = gc_malloc_weak(MANY * sizeof *words);
    pairs = gc_malloc_ephemerons(MANY);
    for (size_t i = 0; i < MANY; i++) {
        void *object = gc_malloc(48);
        pairs[i].value = gc_malloc(112);
        *(size_t *)pairs[i].value = i;
        pairs[i].key = words[i] = object;
        CHECK(gc_finalizer_set(object, finalizer, NULL, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
    }
}

static void finalizers(void)
{
    run(fill_finalized);
    gc_collect();
    clear_stack(16);
    gc_collect();
    CHECK(finalized >= MOST(MANY), "%zu were finalized", finalized);
    CHECK(found_by_key == finalized, "%zu of %zu found their values in their finalizers", found_by_key, finalized);
    gc_collect();
    CHECK(gc_weak_died(words) >= MOST(MANY) && gc_weak_died(pairs) >= MOST(MANY), "%zu words, %zu pairs died",
          gc_weak_died(words), gc_weak_died(pairs));
}

/* ---- By hand, in a child, and what is refused -------------------------------------------------------------------- */

static void free_all(void)
{
    for (size_t room = 1; room < 5000; room += room / 3 + 1) {
        void **some_words = gc_malloc_weak(room * sizeof(void *));
        gc_pair *some_pairs = gc_malloc_ephemerons(room);
        size_t *object = gc_malloc(48);
        some_words[room - 1] = object;
        some_pairs[room - 1].value = object;
        some_pairs[room - 1].key = object;
        if (room % 2 == 0)
            gc_collect();
        CHECK(some_words[room - 1] == object && some_pairs[room - 1].value == object, "a live object was cleared");
        /* Out of the tables before it goes. */
        some_words[room - 1] = NULL;
        some_pairs[room - 1].key = some_pairs[room - 1].value = NULL;
        gc_free(object);
        gc_free(some_words);
        gc_free(some_pairs);
    }
    gc_collect();
}

static void in_a_child(void)
{
    pid_t child = fork();
    if (child == 0) {
        weak_words();
        ephemerons();
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %#x", status);
}

static void refusals(void)
{
    void *object = gc_malloc(64);
    CHECK(gc_weak_tombstone_set(object, NULL) == EINVAL && gc_weak_died(object) == 0, "a plain object is weak");
    CHECK(gc_weak_tombstone_set(&object, NULL) == EINVAL && gc_weak_died(&object) == 0, "a stack is weak");
    CHECK(gc_weak_tombstone_set(NULL, NULL) == EINVAL && gc_weak_died(NULL) == 0, "NULL is weak");
    CHECK_REFUSED(ENOMEM, gc_malloc_ephemerons(opaque(SIZE_MAX / 8)));
    CHECK_REFUSED(ENOMEM, gc_malloc_weak(opaque(SIZE_MAX - 8)));
    CHECK(gc_malloc_ephemerons(0) != NULL && gc_malloc_weak(0) != NULL, "an empty one is none");
}

int main(void)
{
    weak_words();
    ephemerons();
    a_pair_without_a_key();
    chain();
    finalizers();
    free_all();
    in_a_child();
    refusals();
    return 0;
}
