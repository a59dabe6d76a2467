/* A heap with so much live stays within a few times of that, however much garbage is made beside it. */
#include "check.h"

enum { LIVE = 40000, GARBAGE = 600000 };
struct node {
    struct node *next;
    void *data[5];
};
static struct node *list;
static void *volatile garbage;

int main(void) {
    size_t largest = 0, allowed = LIVE * sizeof(struct node) * 5 / 2 + (2 << 20);
    GC_INIT();
    for (int i = 0; i < LIVE; i++) {
        struct node *node = GC_MALLOC(sizeof *node);
        node->next = list;
        list = node;
    }
    for (int i = 0; i < GARBAGE; i++) {
        garbage = GC_MALLOC(16 << i % 3);
        if (i % 1000 == 0 && GC_get_heap_size() > largest)
            largest = GC_get_heap_size();
    }
    CHECK(largest <= allowed, "the heap grew to %zu bytes, more than %zu", largest, allowed);
    return 0;
}
