/* A process in which something else stands where the first engine's table should be.
 *
 *   other_version major|short|junk|unreadable|odd LIBRARY
 *
 * An engine of another version, or with a shorter table, makes the library allocate for itself and never collect. What is
 * no table at all is passed over.
 */
#include "door.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

extern void *__libc_stack_end;

/* The value of the last entry of the auxiliary vector. */
static uintptr_t *rendezvous(void)
{
    uintptr_t *word = __libc_stack_end, random = getauxval(AT_RANDOM);
    while (word[0] != AT_RANDOM || word[1] != random)
        word++;
    while (word[0] != AT_NULL)
        word += 2;
    return word + 1;
}

static struct {
    char magic[8];
    uint32_t major, bytes;
} planted = {"gleaner", 1, 1 << 20};

static struct door door;
static gc_weak *cells[MANY];

static void drop(void)
{
    size_t i;
    for (i = 0; i < MANY; i++) {
        char *object = door.gc_malloc(100);
        CHECK(object != NULL, "no memory");
        memset(object, 1, 100);
        cells[i] = door.gc_weak_register(object, GC_WEAK_SHORT);
    }
}

static size_t gone(void)
{
    size_t i, n = 0;
    for (i = 0; i < MANY; i++)
        n += door.gc_weak_get(cells[i]) == NULL;
    return n;
}

static void allocate_and_free(void)
{
    size_t i;
    for (i = 0; i < 100000; i++)
        door.gc_free(door.gc_malloc(i % 3000));
}

int main(int count, char **arguments)
{
    const char *what = arguments[1];
    int is_refused = strcmp(what, "major") == 0 || strcmp(what, "short") == 0, status;
    void *library;
    pid_t child;
    CHECK(count == 3, "other_version major|short|junk|unreadable|odd LIBRARY");
    CHECK(*rendezvous() == 0, "the word is %#lx", (unsigned long)*rendezvous());
    if (strcmp(what, "major") == 0)
        planted.major = 2;
    else if (strcmp(what, "short") == 0)
        planted.bytes = 100;
    else
        planted.magic[0] = 'x';
    *rendezvous() = strcmp(what, "unreadable") == 0 ? 0x1000 : (uintptr_t)&planted + (strcmp(what, "odd") == 0);

    library = dlopen(arguments[2], RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL, "%s", dlerror());
#define FIND(name) door.name = (__typeof__(door.name))symbol(library, #name);
    NAMES(FIND)
    run(drop);
    allocate_and_free();
    door.gc_collect();
    child = fork();
    if (child == 0) {
        allocate_and_free();
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %#x", status);
    if (is_refused) {
        CHECK(door.gc_collections() == 0 && gone() == 0, "%lu collections, %zu objects gone", door.gc_collections(), gone());
        CHECK(stop_handlers() == 0, "a signal was claimed");
    } else {
        CHECK(door.gc_collections() != 0 && gone() >= MOST(MANY), "%zu objects gone", gone());
        CHECK(stop_handlers() == 1, "%d signals have a handler", stop_handlers());
    }
    return 0;
}
