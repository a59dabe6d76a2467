/*
 * Two thousand threads in waves of fifty: each builds chains, hands some to other threads through a queue, checks and
 * frees what others built, and leaves its last chains to the destructors of its thread-local storage.
 *
 * Three places hold the only pointer to such a last chain while the thread ends: a __thread variable, the values of
 * pthread keys (whose destructor sets its key again for a further round), and, in the C++ twin of this program, an
 * object declared thread_local. The destructors check their chain, allocate, and free.
 *
 * Shows: nothing that a thread holds is lost before the thread is gone, a remote free is an ordinary free, and
 *        what a dead thread leaves behind is adopted.
 *
 *     thread_waves [--threads N] [--wave N]
 */
#include "thread_waves.h"

#include <stdatomic.h>

enum { QUEUE_LIMIT = 256, HANDED_OVER = 8, CHAIN_LENGTH = 60, WAVE_MAX = 1000, KEYS = 3, KEY_ROUNDS = 3,
       DEADLINE_SECONDS = 300 };

/* The twin defines this: gives `chain` to an object declared thread_local, whose destructor calls chain_end. */
extern void thread_local_keep(struct cell *chain, uint64_t seed) __attribute__((weak));

static struct {
    pthread_mutex_t lock;
    struct cell *chain[QUEUE_LIMIT];
    size_t count;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The value of a key: the chain it holds, and the rounds of destructors that are still to come. */
struct key_value {
    struct cell *chain;
    uint64_t seed;
    int rounds_left;
};

static pthread_key_t keys[KEYS];
static __thread struct cell *tls_chain;
static atomic_ulong destructors_run, passed_on;

void chain_end(struct cell *chain, uint64_t seed, const char *where)
{
    chain_check(chain, seed, CHAIN_LENGTH, where);
    chain_free(chain);
    atomic_fetch_add(&destructors_run, 1);
}

static void key_value_set(pthread_key_t key, uint64_t seed, int rounds_left)
{
    struct key_value *value = door_new(sizeof *value);
    *value = (struct key_value){ chain_new(seed, CHAIN_LENGTH), seed, rounds_left };
    int error = pthread_setspecific(key, value);
    if (error != 0)
        die("pthread_setspecific: %s", strerror(error));
}

/* Every key has the same destructor; a value with rounds left puts a successor into the key it came from. */
static void key_destructor(void *data)
{
    struct key_value *value = data;
    chain_end(value->chain, value->seed, "destructor of a pthread key");
    if (value->rounds_left > 0)
        key_value_set(keys[value->seed % KEYS], value->seed + KEYS, value->rounds_left - 1);
    door_free(value);
}

/* Puts a chain into the queue, or takes one out; a chain's seed is in its cells. */
static int queue_put(struct cell *chain)
{
    pthread_mutex_lock(&queue.lock);
    int fits = queue.count < QUEUE_LIMIT;
    if (fits)
        queue.chain[queue.count++] = chain;
    pthread_mutex_unlock(&queue.lock);
    return fits;
}

static struct cell *queue_take(void)
{
    pthread_mutex_lock(&queue.lock);
    struct cell *chain = queue.count > 0 ? queue.chain[--queue.count] : NULL;
    queue.chain[queue.count] = NULL;
    pthread_mutex_unlock(&queue.lock);
    return chain;
}

static void take_and_free(void)
{
    struct cell *chain = queue_take();
    if (chain == NULL)
        return;
    chain_check(chain, chain->seed, CHAIN_LENGTH, "chain from the queue");
    chain_free(chain);
    atomic_fetch_add(&passed_on, 1);
}

static void *thread_life(void *data)
{
    uint64_t seed = (uint64_t)(uintptr_t)data * 1000;
    tls_chain = chain_new(seed, CHAIN_LENGTH);
    for (uint64_t k = 0; k < KEYS; k++)
        key_value_set(keys[(seed + k) % KEYS], seed + k, KEY_ROUNDS - 1);
    if (thread_local_keep != NULL)
        thread_local_keep(chain_new(seed + 500, CHAIN_LENGTH), seed + 500);
    for (uint64_t i = 0; i < HANDED_OVER; i++) {
        struct cell *chain = chain_new(seed + 600 + i, CHAIN_LENGTH);
        if (!queue_put(chain))
            chain_free(chain);
        take_and_free();
        (void)chain_new(seed + 700 + i, CHAIN_LENGTH);      /* and one is forgotten */
    }
    if (seed / 1000 % 16 == 0)
        door_collect();
    chain_check(tls_chain, seed, CHAIN_LENGTH, "chain of a __thread variable");
    if (seed / 1000 % 2 == 0)
        chain_free(tls_chain);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t wave[WAVE_MAX];
    deadline(DEADLINE_SECONDS);
    unsigned long threads = argument(argc, argv, "--threads", 2000);
    unsigned long wave_size = argument(argc, argv, "--wave", 50);
    if (wave_size < 1 || wave_size > WAVE_MAX)
        die("--wave takes 1 to %d, not %lu", WAVE_MAX, wave_size);
    for (int k = 0; k < KEYS; k++)
        if (pthread_key_create(&keys[k], key_destructor) != 0)
            die("pthread_key_create refused key %d", k);
    double started = now_s();
    unsigned long done = 0;
    while (done < threads) {
        unsigned long size = threads - done < wave_size ? threads - done : wave_size;
        for (unsigned long i = 0; i < size; i++)
            wave[i] = thread_start(thread_life, (void *)(uintptr_t)(done + i + 1));
        door_collect();
        for (unsigned long i = 0; i < size; i++)
            thread_join(wave[i]);
        done += size;
    }
    while (queue.count > 0)
        take_and_free();
    unsigned long expected = threads * (KEYS * KEY_ROUNDS + (thread_local_keep != NULL ? 1 : 0));
    if (atomic_load(&destructors_run) != expected)
        die("%lu destructors have run, not %lu", atomic_load(&destructors_run), expected);
    printf("%s: door=%s threads=%lu wave=%lu passed_on=%lu destructors=%lu seconds=%.1f collections=%lu\n",
           program_invocation_short_name, DOOR, threads, wave_size, atomic_load(&passed_on), expected,
           now_s() - started, door_collections());
    return 0;
}
