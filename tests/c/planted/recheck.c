/* A kind whose trace procedure tells the two markers different things: the planted fault of tests/planted.rs.
 *
 * usage: recheck (both|first|second)     which marker is shown the child
 *
 * In a collection the first marker traces each object once, and then the second does.  The child is held by nothing
 * but what the procedure shows.
 */
#include <gleaner.h>
#include <stdio.h>
#include <string.h>

struct node {
    unsigned long hidden; /* ~ the child's address */
};

static const char *shown;
static unsigned long traced_in; /* the collection that traced last */
static int times;

static void trace(void *object, size_t size, gc_tracer *tracer) {
    unsigned long now = gc_collections();
    (void)size;
    times = now == traced_in ? times + 1 : 1;
    traced_in = now;
    if (strcmp(shown, "both") == 0 || (times == 1) == (strcmp(shown, "first") == 0))
        gc_trace_word(tracer, (const void *)~((struct node *)object)->hidden);
}

static struct node *node; /* static data: a root */

/* A frame of its own, so that the child's address does not stay in main's. */
static __attribute__((noinline)) void make(gc_kind kind) {
    node = gc_malloc_kind(sizeof *node, kind);
    node->hidden = ~(unsigned long)gc_malloc(64);
}

static __attribute__((noinline)) void wipe_stack(void) {
    volatile char waste[4096];
    memset((char *)waste, 0, sizeof waste);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    shown = argv[1];
    traced_in = ~0ul;
    make(gc_kind_new(trace));
    wipe_stack();
    gc_collect();
    if (!gc_contains((void *)~node->hidden)) {
        puts("the child is gone");
        return 3;
    }
    return times == 2 ? 0 : 4;
}
