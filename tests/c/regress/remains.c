/* What a collection has taken back holds no addresses when malloc hands it out again: a program that does not write all of
 * what it gets would keep by them whatever lies there then, such as the rest of a list that it has lost. For each size
 * objects full of addresses are dropped and collected; new ones of that size, as they come, must have none of them, and
 * some of them must lie where there were such, or nothing was tried. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { OBJECTS_MAX = 20000, BYTES = 64 << 20 };

static uintptr_t *new[OBJECTS_MAX];
static uintptr_t lowest = UINTPTR_MAX, highest;

static void drop(size_t objects, size_t words)
{
    for (size_t i = 0; i < objects; i++) {
        uintptr_t *object = malloc(words * sizeof *object);
        for (size_t word = 0; word < words; word++)
            object[word] = (uintptr_t)object;
        lowest = (uintptr_t)object < lowest ? (uintptr_t)object : lowest;
        highest = (uintptr_t)object > highest ? (uintptr_t)object : highest;
    }
}

static int is_within(uintptr_t word)
{
    return word >= lowest && word <= highest;
}

static int holds(size_t size)
{
    size_t objects = BYTES / size < OBJECTS_MAX ? BYTES / size : OBJECTS_MAX, words = size / sizeof **new;
    size_t again = 0, addresses = 0;
    void (*collect)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gc_collect");
    drop(objects, words);
    collect();
    collect();
    for (size_t i = 0; i < objects; i++) {
        new[i] = malloc(size);
        again += (size_t)is_within((uintptr_t)new[i]);
        for (size_t word = 0; word < words; word++)
            addresses += (size_t)is_within(new[i][word]);
    }
    for (size_t i = 0; i < objects; i++)
        free(new[i]);
    printf("%zu bytes: %zu of %zu where there were others, with %zu addresses\n", size, again, objects, addresses);
    return again != 0 && addresses == 0;
}

int main(void)
{
    static const size_t sizes[] = {16, 24, 120, 1000, 5000, 40000, 200000, 300000, 2000000};
    int all_hold = 1;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        all_hold &= holds(sizes[i]);
    return !all_hold;
}
