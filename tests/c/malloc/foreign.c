/* Memory of glibc's own allocator, by its internal names: every function of the family takes it, and what it holds is
 * searched. */
#include <malloc.h>
#include "family.h"

void *__libc_malloc(size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static const size_t sizes[] = {1, 24, 100, 5000, 100000, 1 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void taken_back(size_t size)
{
    unsigned char *p = __libc_malloc(size);
    CHECK(!gc_contains(p), "glibc's memory is in the heap");
    CHECK(malloc_usable_size(p) >= size && malloc_usable_size(p) < size + 8192, "%zu usable bytes of %zu",
          malloc_usable_size(p), size);
    memset(p, 0x33, size);
    errno = 4711;
    p = realloc(p, 2 * size);
    CHECK(p != NULL && is_all(p, 0x33, size) && errno == 4711, "realloc of %zu bytes", size);
    p = reallocarray(p, 3, size);
    CHECK(p != NULL && is_all(p, 0x33, size), "reallocarray of %zu bytes", size);
    free(p);
    CHECK(realloc(__libc_malloc(size), 0) == NULL, "realloc to nothing");
    free_sized(__libc_malloc(size), size);
    free_aligned_sized(__libc_memalign(256, size), 256, size);
    gc_collect();
    CHECK(errno == 4711, "errno is %d", errno);
}

static void **hold(void)
{
    void **holder = __libc_malloc(sizeof *holder);
    *holder = memset(malloc(1000), 0x44, 1000);
    return holder;
}

int main(void)
{
    int i, round;
    void **holder = hold();
    clear_stack(16);
    for (round = 0; round < 20; round++)
        for (i = 0; i < SIZES; i++)
            taken_back(sizes[i]);
    CHECK(is_all(*holder, 0x44, 1000), "what only glibc's memory holds was reclaimed");
    free(*holder);
    free(holder);
    return 0;
}
