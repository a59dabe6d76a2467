/* A program with a malloc of its own, from an array: the library stands aside, and neither takes a signal nor looks at
 * threads. It does not define aligned_alloc, which is the C library's then, and may free nothing before main has begun.
 * says: gleaner: dormant: the program has a malloc of its own
 */
#include "preload.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { POOL_BYTES = 64 << 20 };
/* Signals that the C library catches in a program with threads. */
static const unsigned long long OF_THE_C_LIBRARY = 3ull << 31;
static _Alignas(16) char pool[POOL_BYTES];
static atomic_size_t taken;
static atomic_size_t calls;
static int has_begun;

void *malloc(size_t bytes)
{
    size_t wanted = (bytes + 31) & ~(size_t)15;
    size_t start = atomic_fetch_add(&taken, wanted);
    atomic_fetch_add(&calls, 1);
    if (start + wanted > POOL_BYTES)
        return NULL;
    *(size_t *)(void *)(pool + start) = bytes;
    return pool + start + 16;
}

void free(void *p)
{
    if (!has_begun || (p != NULL && ((char *)p < pool || (char *)p >= pool + POOL_BYTES)))
        abort();
}

void *calloc(size_t count, size_t bytes)
{
    return malloc(count * bytes);
}

void *realloc(void *p, size_t bytes)
{
    void *next = malloc(bytes);
    if (p != NULL && next != NULL) {
        size_t former = ((size_t *)p)[-2];
        memcpy(next, p, former < bytes ? former : bytes);
    }
    return next;
}

static void *other(void *unused)
{
    for (int i = 0; i < 1000; i++)
        free(strdup("other"));
    return unused;
}

int main(void)
{
    pthread_t thread;
    struct sigaction action;
    has_begun = 1;
    NEED((errno = pthread_create(&thread, NULL, other, NULL)) == 0);
    pthread_join(thread, NULL);
    char *text = strdup("mine");
    NEED(text > pool && text < pool + POOL_BYTES);
    text = realloc(text, 100);
    free(text);
    /* The C library's, past our free: it is never given to it. */
    void *aligned = aligned_alloc(64, 1000);
    NEED(aligned != NULL && ((char *)aligned < pool || (char *)aligned >= pool + POOL_BYTES));
    malloc_trim(0);
    /* Nobody has a handler for the signal that would stop threads. */
    NEED(sigaction(SIGURG, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    FILE *maps = fopen("/proc/self/status", "r");
    char line[256];
    NEED(maps != NULL);
    while (fgets(line, sizeof line, maps) != NULL)
        if (strncmp(line, "SigCgt:", 7) == 0)
            NEED((strtoull(line + 7, NULL, 16) & ~OF_THE_C_LIBRARY) == 0);
    fclose(maps);
    printf("%s\n", calls > 1000 ? "its own" : "another's");
    return 0;
}
