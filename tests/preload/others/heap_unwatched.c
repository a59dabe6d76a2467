/* A large heap, and collections of it: the kernel is not asked to watch its pages, as it is for large mappings of the program's. */
#define _GNU_SOURCE 1
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECTS = 1000000, COLLECTIONS = 5 };

struct object {
    struct object *next;
    char rest[56];
};

/* Whether the kernel watches the mapping that `address` lies in. */
static int is_watched(uintptr_t address)
{
    static char line[4096];
    uintptr_t start, end;
    int is_there = 0, is_watched = 0;
    FILE *maps = fopen("/proc/self/smaps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &start, &end) == 2)
            is_there = start <= address && address < end;
        else if (is_there && strncmp(line, "VmFlags:", 8) == 0)
            is_watched = strstr(line, " uw") != NULL;
    }
    if (maps != NULL)
        fclose(maps);
    return is_watched;
}

int main(void)
{
    struct object *first = NULL, *last = NULL;
    for (int i = 0; i < OBJECTS; i++) {
        struct object *object = malloc(sizeof *object);
        if (object == NULL)
            return 1;
        object->next = first;
        first = object;
        if (last == NULL)
            last = object;
    }
    for (int i = 0; i < COLLECTIONS; i++)
        malloc_trim(0);
    puts(is_watched((uintptr_t)first) || is_watched((uintptr_t)last) ? "watched" : "not watched");
    while (first != NULL) {
        struct object *next = first->next;
        free(first);
        first = next;
    }
    return 0;
}
