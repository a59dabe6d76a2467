/*
 * Threads leave gc_blocking by longjmp again and again, and at once move objects about: out of a shared place into a
 * local, and back into another. Beside them the main thread collects without a pause and one allocates, so that what is
 * reclaimed is overwritten soon.
 *
 * Shows: whoever has jumped out of a safe region counts as running again, so that no collection misses what it holds.
 *
 *     region_jumps [--collections N] [--threads N]
 */
#include "door.h"

#include <setjmp.h>

enum { PLACES = 64, LENGTH = 3, HOLDINGS = 20 };

static struct cell *places[PLACES];             /* each holds the only chain of its seed, or NULL */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int finished;

struct jumper {
    jmp_buf out;
    uint64_t random;
    volatile unsigned long jumps;
};

static void *jump_out(void *data)
{
    struct jumper *jumper = (struct jumper *)data;
    longjmp(jumper->out, 1);
}

static uint64_t next_random(struct jumper *jumper)
{
    jumper->random = jumper->random * 6364136223846793005u + 1442695040888963407u;
    return jumper->random >> 33;
}

/* Takes a chain out of its place: from here on this thread's stack and registers are all that holds it. */
static struct cell *take(unsigned place)
{
    pthread_mutex_lock(&lock);
    struct cell *chain = places[place];
    places[place] = NULL;
    pthread_mutex_unlock(&lock);
    return chain;
}

static int put(unsigned place, struct cell *chain)
{
    pthread_mutex_lock(&lock);
    int is_free = places[place] == NULL;
    if (is_free)
        places[place] = chain;
    pthread_mutex_unlock(&lock);
    return is_free;
}

static NOINLINE void move_one(struct jumper *jumper)
{
    struct cell *chain = take(next_random(jumper) % PLACES);
    if (chain == NULL)
        return;
    for (int i = 0; i < HOLDINGS; i++)
        chain_check(chain, chain->seed, LENGTH, "held after a jump out of a region");
    while (!put(next_random(jumper) % PLACES, chain))
        ;
}

static void *jump_and_move(void *data)
{
    struct jumper *jumper = (struct jumper *)data;
    for (; !finished; jumper->jumps++) {
        if (setjmp(jumper->out) == 0)
            gc_blocking(jump_out, jumper);
        move_one(jumper);
    }
    return NULL;
}

static void *allocate_beside(void *data)
{
    while (!finished)
        chain_new(~(uint64_t)0, LENGTH);
    return data;
}

int main(int argc, char **argv)
{
    deadline(240);
    unsigned threads = (unsigned)argument(argc, argv, "--threads", 3);
    unsigned long collections = argument(argc, argv, "--collections", 2000), jumps = 0;
    struct jumper *jumpers = (struct jumper *)calloc(threads, sizeof *jumpers);
    pthread_t *moving = (pthread_t *)calloc(threads, sizeof *moving);
    for (unsigned place = 0; place < PLACES / 2; place++)
        places[place] = chain_new(place, LENGTH);
    double started = now_s();
    pthread_t allocating = thread_start(allocate_beside, NULL);
    for (unsigned i = 0; i < threads; i++) {
        jumpers[i].random = i;
        moving[i] = thread_start(jump_and_move, &jumpers[i]);
    }
    while (gc_collections() < collections)
        gc_collect();
    finished = 1;
    thread_join(allocating);
    for (unsigned i = 0; i < threads; i++) {
        thread_join(moving[i]);
        jumps += jumpers[i].jumps;
    }
    unsigned chains = 0;
    for (unsigned place = 0; place < PLACES; place++)
        if (places[place] != NULL) {
            chain_check(places[place], places[place]->seed, LENGTH, "at the end");
            chains++;
        }
    if (chains != PLACES / 2)
        die("%u chains at the end, not %d", chains, PLACES / 2);
    printf("region_jumps: threads=%u jumps=%lu seconds=%.1f collections=%lu\n", threads, jumps, now_s() - started,
           gc_collections());
    return 0;
}
