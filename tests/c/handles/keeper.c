/* C code that is given addresses of handles and keeps them in memory of its own. */
#include <stdlib.h>

struct kept {
    const void *address;
    struct kept *next;
};

static struct kept *first;

/* Keeps an address in a new piece of malloc's memory. 0, or -1 without memory. */
int keeper_keep(const void *address) {
    struct kept *kept = malloc(sizeof *kept);
    if (!kept)
        return -1;
    *kept = (struct kept){address, first};
    first = kept;
    return 0;
}

/* Hands the last one back. */
const void *keeper_give(void) {
    struct kept *kept = first;
    if (!kept)
        return NULL;
    const void *address = kept->address;
    first = kept->next;
    free(kept);
    return address;
}
