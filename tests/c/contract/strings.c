/* gc_strdup and gc_strndup: terminated copies in pointer-free memory, and no byte read after the n-th. */
#include <sys/mman.h>
#include "check.h"

static void copies(void)
{
    char text[300], *copy;
    size_t length, n;
    memset(text, 'x', sizeof text);
    for (length = 0; length < sizeof text - 1; length++) {
        text[length] = 0;
        copy = gc_strdup(text);
        CHECK(copy != NULL && strcmp(copy, text) == 0, "length %zu", length);
        for (n = 0; n < length + 3; n += 7) {
            size_t expected = n < length ? n : length;
            copy = gc_strndup(text, n);
            CHECK(copy != NULL && strlen(copy) == expected, "length %zu, n %zu: %zu", length, n, strlen(copy));
            CHECK(memcmp(copy, text, expected) == 0, "length %zu, n %zu: other text", length, n);
        }
        text[length] = 'x';
    }
    CHECK(strcmp(gc_strndup("abc", SIZE_MAX), "abc") == 0, "n of SIZE_MAX");
}

/* The bytes end where an inaccessible page begins. */
static void reads_no_further(void)
{
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *copy;
    CHECK(pages != MAP_FAILED && mprotect(pages + 4096, 4096, PROT_NONE) == 0, "mmap: %s", strerror(errno));
    memset(pages, 'y', 4096);
    copy = gc_strndup(pages + 4086, 10);
    CHECK(copy != NULL && strcmp(copy, "yyyyyyyyyy") == 0, "a copy of 10 bytes before the page is %s", copy);
    pages[4095] = 0;
    copy = gc_strdup(pages + 4090);
    CHECK(copy != NULL && strcmp(copy, "yyyyy") == 0, "a copy of 5 bytes before the page is %s", copy);
}

static char *strings[MANY];
static gc_weak *children[MANY];

static void store_addresses(void)
{
    int i;
    for (i = 0; i < MANY; i++) {
        void *child = gc_malloc(32);
        strings[i] = gc_strdup("sixteen letters of room");
        memcpy(strings[i], &child, sizeof child);
        children[i] = observe(child);
    }
}

int main(void)
{
    copies();
    reads_no_further();
    run(store_addresses);
    gc_collect();
    CHECK(cleared(children, MANY) >= MOST(MANY), "strings keep %zu objects", MANY - cleared(children, MANY));
    return 0;
}
