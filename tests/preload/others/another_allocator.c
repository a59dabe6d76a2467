/* A program that is linked with another allocator and uses its own names beside malloc: what they give out goes back by
 * free.
 * needs: ls /usr/lib/x86_64-linux-gnu/libjemalloc.so.2
 * link: -l:libjemalloc.so.2
 */
#include "preload.h"

#include <pthread.h>

void *mallocx(size_t, int);
void *rallocx(void *, size_t, int);
void dallocx(void *, int);
size_t sallocx(const void *, int);
int mallctl(const char *, void *, size_t *, void *, size_t);

enum { MANY = 2000 };

static void *allocates_in_all(void *unused)
{
    static const size_t sizes[] = {1, 16, 100, 4096, 40000, 300000, 3 << 20};
    for (size_t i = 0; i < MANY; i++) {
        size_t bytes = sizes[i % (sizeof sizes / sizeof sizes[0])];
        char *theirs = mallocx(bytes, 0);
        NEED(theirs != NULL);
        memset(theirs, 0xff, bytes);
        NEED(malloc_usable_size(theirs) == sallocx(theirs, 0));
        if (i % 2 != 0)
            NEED((theirs = realloc(theirs, bytes + 10)) != NULL && theirs[bytes - 1] == (char)0xff);
        free(theirs);
        free(malloc(bytes));
    }
    return unused;
}

int main(void)
{
    const char *version;
    size_t bytes = sizeof version;
    NEED(mallctl("version", &version, &bytes, NULL, 0) == 0 && version != NULL);
    void *theirs = rallocx(mallocx(10, 0), 1000, 0);
    dallocx(theirs, 0);
    allocates_in_all(NULL);
    pthread_t thread;
    NEED((errno = pthread_create(&thread, NULL, allocates_in_all, NULL)) == 0);
    pthread_join(thread, NULL);
    puts("each got its own back");
    return 0;
}
