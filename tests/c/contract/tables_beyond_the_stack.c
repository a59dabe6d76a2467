/* Uncollectable tables with far more objects than the mark stack has room for, found as roots and by objects that point to
 * them: each object is found, one that is held past its end too, and so is what it leads to. */
#include "check.h"

enum { TABLES = 8, LENGTH = 5000 };

struct object {
    size_t *stamp;
    size_t number, more[4];
};

static uintptr_t tables[TABLES];
static void **directory; /* an object with the addresses of the tables, and a way to find them before they are roots */

static void fill(void)
{
    size_t t, i;
    directory = gc_malloc(TABLES * sizeof *directory);
    for (t = 0; t < TABLES; t++) {
        struct object **table = gc_malloc_uncollectable(LENGTH * sizeof *table);
        for (i = 0; i < LENGTH; i++) {
            struct object *object = gc_malloc(sizeof *object);
            object->stamp = gc_malloc(64);
            object->number = *object->stamp = t * LENGTH + i;
            table[i] = object + i % 2; /* one in two past its end */
        }
        tables[t] = hide(table);
        directory[t] = table;
    }
}

static void check(void)
{
    size_t t, i;
    for (t = 0; t < TABLES; t++) {
        struct object **table = reveal(tables[t]);
        for (i = 0; i < LENGTH; i++) {
            struct object *object = table[i] - i % 2;
            size_t expected = t * LENGTH + i;
            CHECK(gc_base(object) == object, "object %zu of table %zu is gone", i, t);
            CHECK(object->number == expected, "object %zu of table %zu has the number %zu", i, t, object->number);
            CHECK(*object->stamp == expected, "object %zu of table %zu has lost its stamp", i, t);
        }
    }
}

int main(void)
{
    CHECK(gc_option_set("mark_stack", "300") == 0, "mark_stack is no option");
    run(fill);
    gc_collect();
    check();
    directory = NULL;
    gc_collect();
    check();
    return 0;
}
