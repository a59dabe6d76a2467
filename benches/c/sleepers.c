/*
 * Many threads that mostly sleep, as in a server with a thread a connection: each holds a few objects, and is woken now
 * and then to replace some of them. One works at a time.
 *
 *     sleepers [--sleepers N] [--turns N] [--collections N]
 *
 * rss_asleep_kb is the resident set while all sleep; with a collector, stop_us is the median and stop_longest_us the
 * longest of the collections then asked for: the heap is tiny, so this is the stop of so many threads and their roots.
 * These collections do not count in the time of the program.
 */
#include "report.h"

enum { SLEEPERS_MAX = 4000, OBJECTS = 16, REPLACED = 100, SIZE_MIN = 16, SIZES = 256, COLLECTIONS_MAX = 101 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_over = PTHREAD_COND_INITIALIZER;
static struct sleeper {
    pthread_t id;
    pthread_cond_t woken;
    int awake, ended;                   /* under `lock`, as the next */
    uint64_t sum;
} sleepers[SLEEPERS_MAX];
static unsigned long awake;

static uint64_t *object_new(uint64_t stamp)
{
    uint64_t *object = alloc_scanned(SIZE_MIN + mix(stamp) % SIZES);
    object[0] = stamp;
    return object;
}

/* Sleeps until it is this thread's turn; 0 when there are no more. */
static int next_turn(struct sleeper *self)
{
    pthread_mutex_lock(&lock);
    self->awake = 0;
    if (--awake == 0)
        pthread_cond_signal(&turn_over);
    while (!self->awake)
        pthread_cond_wait(&self->woken, &lock);
    int ended = self->ended;
    pthread_mutex_unlock(&lock);
    return !ended;
}

static void *sleeper_life(void *data)
{
    struct sleeper *self = data;
    uint64_t *objects[OBJECTS], state = (uint64_t)(self - sleepers);
    for (int i = 0; i < OBJECTS; i++)
        objects[i] = object_new(state + (uint64_t)i);
    while (next_turn(self))
        for (int i = 0; i < REPLACED; i++) {
            uint64_t **place = &objects[random_below(&state, OBJECTS)];
            self->sum += mix(**place);
            alloc_free(*place);
            *place = object_new(state);
        }
    for (int i = 0; i < OBJECTS; i++)
        alloc_free(objects[i]);
    return NULL;
}

/* Gives one sleeper its turn, and waits until it sleeps again. */
static void wake(struct sleeper *sleeper)
{
    pthread_mutex_lock(&lock);
    sleeper->awake = 1;
    awake++;
    pthread_cond_signal(&sleeper->woken);
    while (awake > 0)
        pthread_cond_wait(&turn_over, &lock);
    pthread_mutex_unlock(&lock);
}

static uint64_t sleeper_end(struct sleeper *sleeper)
{
    pthread_mutex_lock(&lock);
    sleeper->awake = sleeper->ended = 1;
    pthread_cond_signal(&sleeper->woken);
    pthread_mutex_unlock(&lock);
    pthread_join(sleeper->id, NULL);
    return sleeper->sum;
}

static void start_all(unsigned long count)
{
    awake = count;
    for (unsigned long i = 0; i < count; i++) {
        pthread_cond_init(&sleepers[i].woken, NULL);
        if (pthread_create(&sleepers[i].id, NULL, sleeper_life, &sleepers[i]) != 0) {
            fprintf(stderr, "sleepers: the system refused thread %lu of %lu\n", i + 1, count);
            exit(1);
        }
    }
    pthread_mutex_lock(&lock);
    while (awake > 0)
        pthread_cond_wait(&turn_over, &lock);
    pthread_mutex_unlock(&lock);
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    char figures[128];
    double stop_us[COLLECTIONS_MAX];
    alloc_init();
    unsigned long count = argument(argc, argv, "--sleepers", 1000), turns = argument(argc, argv, "--turns", 20000);
    unsigned long collections = argument(argc, argv, "--collections", 21);
    if (count < 1 || count > SLEEPERS_MAX || collections < 1 || collections > COLLECTIONS_MAX) {
        fprintf(stderr, "sleepers: --sleepers takes 1 to %d, --collections 1 to %d\n", SLEEPERS_MAX, COLLECTIONS_MAX);
        return 2;
    }
    double started = report_now();
    uint64_t state = 1, checksum = 0;
    start_all(count);
    for (unsigned long t = 0; t < turns; t++)
        wake(&sleepers[random_below(&state, count)]);
    unsigned long asleep_kb = report_rss_kb("VmRSS");
    for (unsigned long i = 0; i < collections; i++) {
        double stopped = report_now();
        alloc_collect();
        double spent_s = report_now() - stopped;
        stop_us[i] = spent_s * 1e6;
        started += spent_s;
    }
    qsort(stop_us, collections, sizeof *stop_us, by_value);
    for (unsigned long i = 0; i < count; i++)
        checksum += sleeper_end(&sleepers[i]);
    snprintf(figures, sizeof figures, "rss_asleep_kb=%lu stop_us=%.0f stop_longest_us=%.0f", asleep_kb,
             stop_us[collections / 2], stop_us[collections - 1]);
    report_operations("sleepers", 1, started, turns * REPLACED, checksum, figures);
    return 0;
}
