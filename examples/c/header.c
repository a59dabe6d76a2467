/* header: what gleaner.h gives an ordinary C program.
 *
 *     cc -O2 -o header header.c $(pkg-config --cflags --libs gleaner)
 *
 * A list is built and never freed. Sessions are opened and forgotten: a finalizer closes each when nothing refers to it
 * any more, and a weak cell, which refers to it without keeping it, turns NULL.
 *
 * The search for live objects is conservative: a stale word on the stack may keep one of them a while longer. So the
 * program asks for nearly all of many, not for each.
 */
#include <gleaner.h>
#include <stdio.h>

enum { NODES = 100000, SESSIONS = 1000 };

struct node {
    struct node *next;
    long value;
};

struct session {
    char *user;
    int number;
};

static long closed;
static gc_weak *cells[SESSIONS];

static void close_session(void *session, void *count) {
    ((struct session *)session)->number = -1; /* whole until its finalizer has run, with all that it reaches */
    ++*(long *)count;
}

static gc_weak *open_session(int number) {
    struct session *session = gc_malloc(sizeof *session);
    if (session == NULL)
        return NULL;
    session->user = gc_strdup("somebody");
    session->number = number;
    if (gc_finalizer_set(session, close_session, &closed, GC_FINALIZER_ORDERED) != 0)
        return NULL;
    return gc_weak_register(session, GC_WEAK_SHORT);
}

static struct node *build(int count) {
    struct node *list = NULL;
    for (int i = 0; i < count; i++) {
        struct node *node = gc_malloc(sizeof *node);
        if (node == NULL)
            return NULL;
        node->value = i;
        node->next = list;
        list = node;
    }
    return list;
}

static long sum(const struct node *list) {
    long sum = 0;
    for (; list != NULL; list = list->next)
        sum += list->value;
    return sum;
}

static const char *share(long part, long whole) {
    return part >= whole - whole / 50 ? "nearly all" : part > 0 ? "some" : "none";
}

int main(void) {
    struct node *list = build(NODES);
    long gone = 0;
    for (int i = 0; i < SESSIONS; i++)
        if ((cells[i] = open_session(i)) == NULL)
            return 1;

    gc_collect();
    for (int i = 0; i < SESSIONS; i++)
        gone += gc_weak_get(cells[i]) == NULL;
    printf("sum of the list: %ld\n", sum(list));
    printf("sessions closed: %s of %d\n", share(closed, SESSIONS), SESSIONS);
    printf("weak cells empty: %s of %d\n", share(gone, SESSIONS), SESSIONS);
    return 0;
}
