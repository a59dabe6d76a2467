/* Objects with closures, and of kinds that ask for it, end before what they lead to: a procedure finds the object's children
 * as the program has left them, though they are dead as well. */
#include "many.h"
#include <gc_disclaim.h>

enum { LENGTH = 2, WIDTH = 5000 };

struct node {
    GC_word tag;
    struct node *left, *right;
    int number, is_whole;
};

static int ended, wrong;
static unsigned kind;

static void end_node(struct node *node) {
    if (!node->is_whole || (node->left != NULL && (!node->left->is_whole || node->left->number != node->number + 1)) ||
        (node->right != NULL && !node->right->is_whole))
        wrong++;
    node->is_whole = 0;
    node->left = node->right = NULL;
    ended++;
}

static void GC_CALLBACK end(void *object, void *data) {
    (void)data;
    end_node(object);
}

static int GC_CALLBACK see(void *object) {
    struct node *node = object;
    if (node->tag == 1)
        end_node(object);
    return 0;
}

static const struct GC_finalizer_closure closure = {end, NULL};

static struct node *new_node(int is_of_kind) {
    return is_of_kind ? GC_malloc_kind(sizeof(struct node), kind) : GC_finalized_malloc(sizeof(struct node), &closure);
}

/* Chains, linked from the last to the first or the other way round in memory, with a child that many share. */
static void make_chains(int is_of_kind) {
    for (int chain = 0; chain < WIDTH; chain++) {
        struct node *first = NULL, *last = NULL, *shared = new_node(is_of_kind);
        shared->tag = 1;
        shared->is_whole = 1;
        for (int i = 0; i < LENGTH; i++) {
            struct node *node = new_node(is_of_kind);
            node->tag = 1;
            node->is_whole = 1;
            node->right = shared;
            if (chain % 2 == 0) {
                node->number = i;
                if (last != NULL)
                    last->left = node;
                last = node;
            } else {
                node->number = LENGTH - i;
                node->left = first;
                first = node;
            }
        }
    }
}

static void make_finalized(void) {
    make_chains(0);
}

static void make_of_kind(void) {
    make_chains(1);
}

static void check(const char *what) {
    int expected = WIDTH * (LENGTH + 1);
    /* One at a time of each chain. */
    for (int i = 0; i < 10 * LENGTH && ended < expected; i++) {
        wipe_stack();
        GC_gcollect();
    }
    CHECK(wrong == 0, "%s: %d found their children changed", what, wrong);
    CHECK(ended >= expected / 10 * 9 && ended <= expected, "%s: %d of %d have ended", what, ended, expected);
    ended = 0;
}

int main(void) {
    GC_INIT();
    GC_init_finalized_malloc();
    kind = GC_new_kind(GC_new_free_list(), 0 | GC_DS_LENGTH, 1, 1);
    GC_register_disclaim_proc(kind, see, 1);
    /* A collection in the middle would end the first of a chain that is still made. */
    GC_disable();
    elsewhere(make_finalized);
    GC_enable();
    check("closures");
    GC_disable();
    elsewhere(make_of_kind);
    GC_enable();
    check("a kind");
    return 0;
}
