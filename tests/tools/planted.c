/* One mistake with memory, by name, or none.
 *
 *     planted overflow | use-after-free | late-use-after-free | uninitialised | use-after-collection | none
 *
 * The objects come from gleaner.h, or, with -DDOOR_MALLOC, from malloc.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef DOOR_MALLOC
#define allocate malloc
#define release free
#else
#include <gleaner.h>
#define allocate gc_malloc_atomic
#define release gc_free
#endif

enum { BYTES = 16, LATER = 1000 };

static volatile int result;

static char *filled(void)
{
    char *p = allocate(BYTES);
    if (p == NULL)
        abort();
    memset(p, 1, BYTES);
    return p;
}

static void overflow(char *volatile p)
{
    p[BYTES] = 1;
}

static void use_after_free(char *volatile p)
{
    release(p);
    result = p[3];
}

/* Others of its size have come and gone meanwhile, and the slot is still nobody else's. */
static void late_use_after_free(char *volatile p)
{
    int i;
    release(p);
    for (i = 0; i < LATER; i++)
        release(filled());
    result = p[3];
}

static void uninitialised(void)
{
    char *volatile p = allocate(BYTES);
    if (p[2] == 1)
        result = 1;
    release(p);
}

#ifndef DOOR_MALLOC
/* A thousand objects that only their complements know: the collector sees none of them. */
static __attribute__((noinline)) void hide(uintptr_t *hidden)
{
    int i;
    for (i = 0; i < LATER; i++)
        hidden[i] = ~(uintptr_t)filled();
}

static void use_after_collection(void)
{
    static uintptr_t hidden[LATER];
    hide(hidden);
    gc_collect();
    result = *(char *)~hidden[LATER / 2];
}
#endif

int main(int count, char **arguments)
{
    const char *name = count == 2 ? arguments[1] : "";
    if (strcmp(name, "overflow") == 0)
        overflow(filled());
    else if (strcmp(name, "use-after-free") == 0)
        use_after_free(filled());
    else if (strcmp(name, "late-use-after-free") == 0)
        late_use_after_free(filled());
    else if (strcmp(name, "uninitialised") == 0)
        uninitialised();
#ifndef DOOR_MALLOC
    else if (strcmp(name, "use-after-collection") == 0)
        use_after_collection();
#endif
    else if (strcmp(name, "none") == 0)
        release(filled());
    else
        return 2;
    printf("%s: done\n", name);
    return 0;
}
