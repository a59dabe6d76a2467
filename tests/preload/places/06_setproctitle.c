/* Row 6: the program has moved its environment elsewhere and overwrites where it was, as those do that show what they are
 * at in the list of processes. The only pointer is there.
 * blind: stack_top
 */
#include "preload.h"

extern char **environ;

static char *title;
static size_t room;

static void put(void)
{
    struct victim *victim = victim_new();
    uintptr_t at = ((uintptr_t)title + sizeof victim - 1) & -sizeof victim;
    NEED(at + sizeof victim <= (uintptr_t)title + room);
    memcpy((void *)at, &victim, sizeof victim);
}

int main(int argc, char **argv)
{
    static char *kept[1000];
    size_t count = 0;
    NEED(argc == 1);
    title = argv[0];
    room = strlen(argv[0]) + 1;
    for (char **variable = environ; *variable != NULL && count < 999; variable++) {
        if (*variable == title + room)
            room += strlen(*variable) + 1;
        NEED((kept[count++] = strdup(*variable)) != NULL);
    }
    environ = kept;
    memset(title, 0, room);
    run(put);
    churn();
    struct victim *victim;
    memcpy(&victim, (void *)(((uintptr_t)title + sizeof victim - 1) & -sizeof victim), sizeof victim);
    return judge(victim);
}
