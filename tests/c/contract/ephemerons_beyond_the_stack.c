/* Ephemerons whose values are ephemerons, more than the mark stack has room for: each is found once, and keeps its
 * value. */
#include "check.h"

static gc_ephemeron *table[MANY];
static void *keys[MANY];

static void fill(void)
{
    size_t i;
    for (i = 0; i < MANY; i++) {
        size_t *value = gc_malloc(112);
        value[0] = i;
        keys[i] = gc_malloc(48);
        table[i] = gc_ephemeron_new(keys[i], gc_ephemeron_new(keys[i], value));
        CHECK(table[i] != NULL, "ephemeron %zu: %s", i, strerror(errno));
    }
}

static void check(void)
{
    size_t i;
    for (i = 0; i < MANY; i++) {
        gc_ephemeron *inner = gc_ephemeron_value(table[i]);
        CHECK(inner != NULL, "ephemeron %zu is empty though its key lives", i);
        CHECK(gc_ephemeron_key(inner) == keys[i], "the value of ephemeron %zu has lost its key", i);
        size_t *value = gc_ephemeron_value(inner);
        CHECK(value[0] == i, "the value of the value of ephemeron %zu is damaged", i);
    }
}

int main(void)
{
    CHECK(gc_option_set("mark_stack", "16") == 0, "mark_stack is no option");
    run(fill);
    clear_stack(16);
    gc_collect();
    gc_collect();
    check();
    return 0;
}
