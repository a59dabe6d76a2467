/* On a stack an address keeps its object where it is a whole word, and not where it lies across two. */
#include "many.h"

static char *held;

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        void *object = GC_malloc(48);
        watch(i, object);
        memcpy(held + i * sizeof object, &object, sizeof object);
    }
}

/* How many are kept by addresses that begin at such a byte of the words of this stack. */
__attribute__((noinline)) static int kept_from(int byte) {
    void *volatile words[MANY + 1];
    memset((void *)words, 0, sizeof words);
    held = (char *)words + byte;
    elsewhere(make);
    int count = living();
    GC_noop1((GC_word)words[0]);
    memset((void *)words, 0, sizeof words);
    forget_all();
    return count;
}

int main(void) {
    GC_INIT();
    for (int byte = 0; byte < (int)sizeof(void *); byte++) {
        int count = kept_from(byte);
        CHECK(byte == 0 ? count == MANY : count <= FEW, "from byte %d: %d of %d", byte, count, MANY);
    }
    return 0;
}
