/* The malloc library as the second copy: its malloc family is the first engine's, or glibc's if that has none.
 *
 *   second_malloc served|glibc LIBRARY
 */
#include "door.h"

#include <malloc.h>
#include <pthread.h>

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*new)(size_t);
    void (*delete)(void *);
    void (*free)(void *);
    size_t (*malloc_usable_size)(void *);
    struct mallinfo2 (*mallinfo2)(void);
    int (*malloc_trim)(size_t);
    int (*pthread_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
} second;

/* The first engine. */
static int (*contains)(const void *);
static void *(*collected)(size_t);
static unsigned long (*collections)(void);
static int served;

static void *checked(void *object)
{
    CHECK(object != NULL, "no memory");
    CHECK(contains(object) == served, "the first engine %s of %p", served ? "does not know" : "knows", object);
    return object;
}

static void one_of_each(void)
{
    char *object = checked(second.malloc(100));
    strcpy(object, "kept");
    object = checked(second.realloc(object, 100000));
    CHECK(strcmp(object, "kept") == 0, "realloc lost the contents");
    CHECK(second.malloc_usable_size(object) >= 100000, "%zu bytes", second.malloc_usable_size(object));
    free(object);
    second.free(checked(second.calloc(10, 10)));
    object = checked(second.aligned_alloc(4096, 100));
    CHECK((uintptr_t)object % 4096 == 0, "%p is not aligned", (void *)object);
    second.free(object);
    second.delete(checked(second.new(40)));
    second.free(NULL);
}

static void what_the_first_gave_is_known(void)
{
    char *object = collected(100);
    strcpy(object, "kept");
    CHECK(second.malloc_usable_size(object) >= 100, "%zu bytes", second.malloc_usable_size(object));
    object = second.realloc(object, 5000);
    CHECK(object != NULL && contains(object) && strcmp(object, "kept") == 0, "realloc of a collected object");
    second.free(object);
    second.free(malloc(100));
}

static void *work(void *data)
{
    int i;
    for (i = 0; i < 1000; i++)
        one_of_each();
    return data;
}

int main(int count, char **arguments)
{
    void *library;
    pthread_t thread;
    unsigned long before;
    CHECK(count == 3, "second_malloc served|glibc LIBRARY");
    served = strcmp(arguments[1], "served") == 0;
    library = dlopen(arguments[2], RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL, "%s", dlerror());
#define FIND(name, symbol_name) *(void **)&second.name = symbol(library, symbol_name)
    FIND(malloc, "malloc");
    FIND(calloc, "calloc");
    FIND(realloc, "realloc");
    FIND(aligned_alloc, "aligned_alloc");
    FIND(new, "_Znwm");
    FIND(delete, "_ZdlPv");
    FIND(free, "free");
    FIND(malloc_usable_size, "malloc_usable_size");
    FIND(mallinfo2, "mallinfo2");
    FIND(malloc_trim, "malloc_trim");
    FIND(pthread_create, "pthread_create");
    CHECK(second.malloc != malloc, "the library has been there before");
    *(void **)&contains = symbol(RTLD_DEFAULT, "gc_contains");
    *(void **)&collected = symbol(RTLD_DEFAULT, "gc_malloc");
    *(void **)&collections = symbol(RTLD_DEFAULT, "gc_collections");

    one_of_each();
    what_the_first_gave_is_known();
    CHECK(second.pthread_create(&thread, NULL, work, NULL) == 0, "no thread");
    work(NULL);
    pthread_join(thread, NULL);
    CHECK((second.mallinfo2().uordblks != 0) == served, "%zu bytes in use", second.mallinfo2().uordblks);
    before = collections();
    second.malloc_trim(0);
    CHECK(collections() == before + 1, "malloc_trim did not collect in the first engine");
    CHECK(stop_handlers() == 1, "%d signals have a handler", stop_handlers());
    CHECK(cages() == 1, "%d heaps are reserved", cages());
    return 0;
}
