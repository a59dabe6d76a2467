/* What the loader has made read-only holds no roots: an address that a program writes there against its will keeps nothing. */
#include "many.h"
#include <sys/mman.h>

enum { PAGE = 4096 };

static void *const sealed[2 * PAGE] __attribute__((section(".data.rel.ro"), aligned(PAGE))) = {(void *)sealed};

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        ((void **)(GC_word)sealed)[PAGE + i] = GC_malloc(40);
        watch(i, sealed[PAGE + i]);
    }
}

int main(void) {
    GC_INIT();
    CHECK(mprotect((void *)(GC_word)sealed, sizeof sealed, PROT_READ | PROT_WRITE) == 0, "writable again");
    elsewhere(make);
    int left = living();
    CHECK(left <= FEW, "%d of %d left", left, MANY);
    return 0;
}
