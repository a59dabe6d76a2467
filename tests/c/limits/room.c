/* Takes objects until there are no more, checks that each is whole, gives all back, and takes one again.
 *
 *     room SIZE LEAST [lower ADDRESS_SPACE]
 *
 * At least LEAST bytes have to be got; with `lower` the process's address space is limited first, while it runs. Compiled
 * with -DLIBRARY it uses gleaner.h, else malloc.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <gleaner.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#ifdef LIBRARY
#define TAKE gc_malloc
#define GIVE gc_free
#else
#define TAKE malloc
#define GIVE free
#endif

struct object {
    struct object *next;
    size_t number;
};

static int complain(const char *what)
{
    printf("%s (errno %d)\n", what, errno);
    return 1;
}

static void *start(void *data)
{
    GIVE(TAKE(1000));
    return data;
}

/* What the C library needs address space for: a thread's stack, a mapping. Without the malloc door the heap does not know
 * of a limit before it meets it. */
static int others_have_room(void)
{
#ifdef LIBRARY
    return start(&errno) != NULL;
#else
    pthread_t thread;
    void *mapping = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED || munmap(mapping, 4 << 20) != 0)
        return 0;
    return pthread_create(&thread, NULL, start, NULL) == 0 && pthread_join(thread, NULL) == 0;
#endif
}

int main(int count, char **arguments)
{
    size_t size = strtoul(arguments[1], NULL, 0), least = strtoul(arguments[2], NULL, 0), number = 0;
    struct object *list = NULL, *object;
    if (count > 4) {
        struct rlimit limit;
        limit.rlim_cur = limit.rlim_max = strtoul(arguments[4], NULL, 0);
        GIVE(TAKE(100));
        if (setrlimit(RLIMIT_AS, &limit) != 0)
            return complain("no limit could be set");
        if (!others_have_room())
            return complain("the heap leaves no room under the new limit");
    }
    for (errno = 0; (object = TAKE(size)) != NULL; list = object) {
        object->next = list;
        object->number = number++;
    }
    if (errno != ENOMEM)
        return complain("the last request did not fail with ENOMEM");
    if (number * size < least) {
        printf("only %zu bytes, expected %zu\n", number * size, least);
        return 1;
    }
    while ((object = list) != NULL) {
        if (object->number != --number)
            return complain("an object is not whole");
        list = object->next;
        GIVE(object);
    }
    object = TAKE(size);
    return object == NULL ? complain("no memory after all was given back") : 0;
}
