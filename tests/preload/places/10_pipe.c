/* Row 10: the only pointers are in a pipe: alone, in a message at an odd byte, and in parts; the writing end is closed.
 * blind: sent
 */
#include "preload.h"

#include <sys/uio.h>

struct __attribute__((packed)) message {
    char kind;
    struct victim *victim;
    char rest[20];
};

enum { EACH = 3 };
static int ends[2];

static void put(void)
{
    for (int i = 0; i < EACH; i++) {
        struct victim *victim = victim_new();
        struct message message = {.kind = 'm', .victim = victim_new()};
        NEED(write(ends[1], &victim, sizeof victim) == sizeof victim);
        NEED(write(ends[1], &message, sizeof message) == sizeof message);
        victim = victim_new();
        struct iovec parts[2] = {{"head", 4}, {&victim, sizeof victim}};
        NEED(writev(ends[1], parts, 2) == 12);
    }
    NEED(close(ends[1]) == 0);
}

/* Half of them come by a larger read. */
static int take(int count)
{
    unsigned char bytes[EACH * (8 + sizeof(struct message) + 12)];
    size_t each = sizeof bytes / EACH;
    struct victim *victims[3];
    int whole = 0;
    NEED(read(ends[0], bytes, each * (size_t)count) == (ssize_t)(each * (size_t)count));
    for (int i = 0; i < count; i++) {
        memcpy(&victims[0], bytes + each * (size_t)i, 8);
        memcpy(&victims[1], bytes + each * (size_t)i + 8 + 1, 8);
        memcpy(&victims[2], bytes + each * (size_t)i + 8 + sizeof(struct message) + 4, 8);
        for (int j = 0; j < 3; j++)
            whole += victim_is_whole(victims[j]);
    }
    return whole;
}

int main(void)
{
    int whole;
    NEED(pipe(ends) == 0);
    run(put);
    churn();
    whole = take(1);
    churn();
    whole += take(EACH - 1);
    return verdict(whole == 3 * EACH);
}
