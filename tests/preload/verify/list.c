/* Follows a list whose only pointer is hidden: what its first node reaches is no second discovery. Then a large object.
 *
 * says: read at #, 0 bytes inside an object of 16 bytes at #, unreachable since collection 1
 * says:   by walk+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_list+# (PROGRAM+#)
 * says: read at #, 200000 bytes inside an object of 300000 bytes at #, unreachable since collection 1
 * says:   by look+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_large+# (PROGRAM+#)
 * blind: barred
 */
#include "preload.h"

enum { MANY = 3000, LARGE_BYTES = 300000 };
struct node {
    struct node *next;
    long number;
};
static uintptr_t hidden, hidden_large;

NOINLINE struct node *make_list(void)
{
    struct node *list = NULL, **end = &list;
    for (int i = 0; i < MANY; i++) {
        struct node *node = malloc(sizeof *node);
        NEED(node != NULL);
        *node = (struct node){NULL, i};
        *end = node;
        end = &node->next;
    }
    return list;
}

NOINLINE char *make_large(void)
{
    char *large = malloc(LARGE_BYTES);
    NEED(large != NULL);
    memset(large, 'x', LARGE_BYTES);
    return large;
}

static void put(void)
{
    hidden = hide(make_list());
    hidden_large = hide(make_large());
}

NOINLINE long walk(struct node *list)
{
    long sum = 0;
    while (list != NULL) {
        struct node *next = list->next;
        sum += list->number;
        free(list);
        list = next;
    }
    return sum;
}

NOINLINE int look(char *large)
{
    return large[200000];
}

int main(void)
{
    run(put);
    churn();
    long sum = walk(reveal(hidden));
    printf("%ld %c\n", sum, look(reveal(hidden_large)));
    return 0;
}
