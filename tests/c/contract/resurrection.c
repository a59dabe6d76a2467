/* A finalizer may bring its object back, with all it reaches; it runs once, and again only if set again. */
#include "check.h"

struct node {
    struct node *next;
    size_t number, runs;
    char *name;
};

static struct node *back[MANY];
static size_t runs;

static void bring_back(void *object, void *data)
{
    struct node *node = object;
    (void)data;
    CHECK(node->next->number == ~node->number, "object %zu has lost its companion", node->number);
    CHECK(strcmp(node->name, "name") == 0, "object %zu has lost its name", node->number);
    node->runs++;
    runs++;
    back[node->number] = node;
}

static void fill(void)
{
    size_t i;
    for (i = 0; i < MANY; i++) {
        struct node *node = gc_malloc(sizeof *node);
        node->number = i;
        node->next = gc_malloc(sizeof *node);
        node->next->number = ~i;
        node->name = gc_strdup("name");
        CHECK(gc_finalizer_set(node, bring_back, NULL, i % 3 == 0   ? GC_FINALIZER_ORDERED
                                                       : i % 3 == 1 ? GC_FINALIZER_UNORDERED
                                                                    : GC_FINALIZER_UNREACHABLE) == 0,
              "no finalizer");
    }
}

static void check_back(size_t expected_runs)
{
    size_t i;
    for (i = 0; i < MANY; i++)
        if (back[i] != NULL)
            CHECK(back[i]->number == i && back[i]->next->number == ~i && strcmp(back[i]->name, "name") == 0 &&
                      back[i]->runs == expected_runs,
                  "object %zu: number %zu, finalized %zu times, expected %zu", i, back[i]->number, back[i]->runs,
                  expected_runs);
}

/* Drops every object, with a new finalizer for each when asked. */
static void drop(int again)
{
    size_t i;
    for (i = 0; i < MANY; i++) {
        if (back[i] != NULL && again)
            CHECK(gc_finalizer_set(back[i], bring_back, NULL, GC_FINALIZER_UNORDERED) == 0, "no finalizer");
        back[i] = NULL;
    }
}

static void drop_and_set_again(void)
{
    drop(1);
}

static void drop_for_good(void)
{
    drop(0);
}

int main(void)
{
    run(fill);
    gc_collect();
    CHECK(runs >= MOST(MANY) && runs <= MANY, "%zu of %d finalizers ran", runs, MANY);
    check_back(1);
    gc_collect();
    check_back(1);

    runs = 0;
    run(drop_and_set_again);
    gc_collect();
    CHECK(runs >= MOST(MANY) - MANY / 100 && runs <= MANY, "set again, %zu of %d finalizers ran", runs, MANY);
    gc_collect();
    /* One that stayed behind in the first round runs for its first time later. */
    runs = 0;
    run(drop_for_good);
    gc_collect();
    gc_collect();
    CHECK(runs <= MANY / 50, "%zu finalizers ran that were not set again", runs);
    return 0;
}
