/* Ephemerons: the value lives as long as key and ephemeron do; a path from value to key does not count. */
#include "check.h"

static gc_ephemeron *table[3][MANY];
static void *live_keys[MANY];
static gc_weak *values[3][MANY];

enum { KEY_LIVES, KEY_DIES, KEY_ONLY_IN_VALUE };

static void *new_value(gc_weak **cell, size_t number, void *key)
{
    void **value = gc_malloc(112); /* a size that nothing else here has */
    value[0] = (void *)number;
    value[1] = key;
    *cell = observe(value);
    return value;
}

static void fill(void)
{
    size_t i;
    int how;
    for (i = 0; i < MANY; i++) {
        for (how = KEY_LIVES; how <= KEY_ONLY_IN_VALUE; how++) {
            /* Sizes of their own: a root at a live key also keeps the slot that ends there. */
            void *key = gc_malloc(48 + 16 * (size_t)how);
            void *value = new_value(&values[how][i], i, how == KEY_ONLY_IN_VALUE ? key : NULL);
            gc_ephemeron *e = table[how][i] = gc_ephemeron_new(key, value);
            CHECK(e != NULL, "ephemeron %zu: %s", i, strerror(errno));
            CHECK(gc_ephemeron_key(e) == key && gc_ephemeron_value(e) == value, "ephemeron %zu is not its pair", i);
            if (how == KEY_LIVES)
                live_keys[i] = key;
        }
    }
}

static size_t empty(int how)
{
    size_t i, n = 0;
    for (i = 0; i < MANY; i++) {
        int no_key = gc_ephemeron_key(table[how][i]) == NULL, no_value = gc_ephemeron_value(table[how][i]) == NULL;
        CHECK(no_key == no_value, "ephemeron %zu has lost only its %s", i, no_key ? "key" : "value");
        n += (size_t)no_key;
    }
    return n;
}

static void check_live(void)
{
    size_t i;
    CHECK(empty(KEY_LIVES) == 0, "%zu ephemerons are empty though their keys live", empty(KEY_LIVES));
    for (i = 0; i < MANY; i++) {
        void **value = gc_ephemeron_value(table[KEY_LIVES][i]);
        CHECK(gc_ephemeron_key(table[KEY_LIVES][i]) == live_keys[i], "ephemeron %zu has another key", i);
        CHECK(value[0] == (void *)i, "the value of ephemeron %zu is damaged", i);
    }
}

int main(void)
{
    run(fill);
    gc_collect();
    check_live();
    CHECK(empty(KEY_DIES) >= MOST(MANY), "%zu ephemerons are full though their keys died", MANY - empty(KEY_DIES));
    CHECK(empty(KEY_ONLY_IN_VALUE) >= MOST(MANY), "%zu keys are kept by their own values",
          MANY - empty(KEY_ONLY_IN_VALUE));
    gc_collect();
    check_live();
    CHECK(cleared(values[KEY_DIES], MANY) >= MOST(MANY), "%zu values outlive their keys",
          MANY - cleared(values[KEY_DIES], MANY));

    /* All of them: the next ephemeron's address is also one past the end of this one. */
    memset(table, 0, sizeof table);
    clear_stack(16);
    gc_collect();
    CHECK(cleared(values[KEY_LIVES], MANY) >= MOST(MANY), "%zu values outlive their ephemerons",
          MANY - cleared(values[KEY_LIVES], MANY));
    return 0;
}
