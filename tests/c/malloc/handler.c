/* A signal handler allocates, resizes and frees while it interrupts malloc, as programs do though POSIX forbids it: nothing
 * is lost, and nothing hangs. */
#include <malloc.h>
#include <signal.h>
#include <sys/time.h>
#include "family.h"

enum { TICKS = 300, HELD = 500 };

static volatile sig_atomic_t ticks;

static void on_tick(int number)
{
    unsigned char *p = malloc(200), *q = calloc(10, 10), *r = memalign(512, 100);
    (void)number;
    ticks++;
    if (p == NULL || q == NULL || r == NULL)
        return;
    CHECK((uintptr_t)p % 16 == 0 && (uintptr_t)r % 512 == 0, "%p and %p are not aligned", (void *)p, (void *)r);
    CHECK(malloc_usable_size(p) >= 200 && malloc_usable_size(q) >= 100, "%zu and %zu bytes", malloc_usable_size(p),
          malloc_usable_size(q));
    CHECK(is_all(q, 0, 100), "calloc is not zero");
    memset(p, 0x66, 200);
    p = realloc(p, 400);
    CHECK(p == NULL || is_all(p, 0x66, 200), "realloc lost bytes");
    free(p);
    free(q);
    free(r);
}

int main(void)
{
    static unsigned char *held[HELD];
    struct itimerval often = {{0, 500}, {0, 500}};
    struct sigaction action;
    time_t deadline = time(NULL) + 40;
    size_t i;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_tick;
    action.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0, "no timer");
    for (i = 0; ticks < TICKS; i++) {
        /* 20000 bytes: hardly one malloc of these is without a slow path. */
        size_t place = i % HELD, size = i % 3 ? 20000 : 40;
        CHECK(held[place] == NULL || held[place][39] == (unsigned char)place, "object %zu is not whole", place);
        if (i % 5)
            free(held[place]);
        held[place] = malloc(size);
        memset(held[place], (unsigned char)place, 40);
        CHECK(time(NULL) < deadline, "%d ticks", (int)ticks);
    }
    return 0;
}
