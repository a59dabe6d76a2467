/*
 * Typed objects whose layout names one word of four: an address in the named word keeps its object, one in any other
 * word keeps nothing.
 *
 * Weak cells tell which objects have died. A stale word may keep a few, so one in a thousand is forgiven;
 * a collector that scans the other words keeps them all.
 *
 *     typed_layout [--objects N]
 */
#include "door.h"

enum { SEEN_WORD = 2, WORDS = 4, DEADLINE_SECONDS = 60 };

struct typed {
    struct cell *word[WORDS];
};

static struct typed **table;
static gc_weak **seen_cells, **hidden_cells;        /* the hidden ones of words 0, 1 and 3 in turn */

static gc_weak *weak_new(void *object)
{
    gc_weak *weak = gc_weak_register(object, GC_WEAK_SHORT);
    if (weak == NULL)
        die("no weak cell: %s", strerror(errno));
    return weak;
}

static void table_build(void *data)
{
    unsigned long objects = *(unsigned long *)data;
    static const size_t hidden_words[] = { 0, 1, 3 };
    unsigned long bitmap = 1UL << SEEN_WORD;
    gc_layout layout = gc_layout_from_bitmap(&bitmap, WORDS);
    if (layout == 0)
        die("gc_layout_from_bitmap: %s", strerror(errno));
    table = door_new(objects * sizeof *table);
    seen_cells = door_new(objects * sizeof *seen_cells);
    hidden_cells = door_new(objects * sizeof *hidden_cells);
    for (unsigned long i = 0; i < objects; i++) {
        struct typed *typed = gc_malloc_typed(sizeof *typed, layout);
        if (typed == NULL)
            die("no memory for typed object %lu", i);
        table[i] = typed;
        struct cell *seen = chain_new(i, 3);
        struct cell *hidden = chain_new(objects + i, 3);
        typed->word[SEEN_WORD] = seen;
        typed->word[hidden_words[i % 3]] = hidden;
        seen_cells[i] = weak_new(seen);
        hidden_cells[i] = weak_new(hidden);
    }
}

int main(int argc, char **argv)
{
    deadline(DEADLINE_SECONDS);
    unsigned long objects = argument(argc, argv, "--objects", 10000), hidden_left = 0;
    aside(table_build, &objects);
    gc_collect();
    chain_free(chain_new(1u << 30, 10 * objects));      /* what was wrongly taken back is overwritten by this */
    for (unsigned long i = 0; i < objects; i++) {
        hidden_left += gc_weak_get(hidden_cells[i]) != NULL;
        if (gc_weak_get(seen_cells[i]) != table[i]->word[SEEN_WORD])
            die("the weak cell of typed object %lu is clear although the named word holds its object", i);
        chain_check(table[i]->word[SEEN_WORD], i, 3, "the word that the layout names");
    }
    printf("typed_layout: objects=%lu kept_by_words_outside_the_layout=%lu\n", objects, hidden_left);
    if (hidden_left > objects / 1000)
        die("%lu of %lu objects are kept by a word outside the layout", hidden_left, objects);
    return 0;
}
