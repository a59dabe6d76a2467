/*
 * Producer and consumer: one thread allocates all objects, the other frees all of them. They hand over batches through
 * a ring; who finds it full, or empty, sleeps.
 *
 *     producer [--size BYTES] [--objects N]
 */
#include "report.h"

enum { BATCH = 256, BATCHES = 16, SIZE_MIN = 8 };

static uint64_t *ring[BATCHES][BATCH];
static unsigned long size, batches;
static unsigned long produced, consumed;            /* batches so far, under `lock` */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* Counts a batch, and waits until the other thread leaves room, or has filled the next one. */
static void step(unsigned long *count, unsigned long most_produced_ahead, unsigned long least_produced_ahead)
{
    pthread_mutex_lock(&lock);
    if (count != NULL)
        ++*count;
    pthread_cond_signal(&changed);
    while (produced - consumed > most_produced_ahead || produced - consumed < least_produced_ahead)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static uint64_t produce(void)
{
    for (unsigned long b = 0; b < batches; b++) {
        for (unsigned long i = 0; i < BATCH; i++) {
            uint64_t *object = alloc_scanned(size);
            object[0] = b * BATCH + i;
            ring[b % BATCHES][i] = object;
        }
        step(&produced, BATCHES - 1, 0);
    }
    return 0;
}

static uint64_t consume(void)
{
    uint64_t sum = 0;
    step(NULL, BATCHES, 1);
    for (unsigned long b = 0; b < batches; b++) {
        for (unsigned long i = 0; i < BATCH; i++) {
            uint64_t *object = ring[b % BATCHES][i];
            if (object[0] != b * BATCH + i)
                report_lost("producer", object, object[0], b * BATCH + i);
            sum += mix(object[0]);
            alloc_free(object);
        }
        step(&consumed, BATCHES, b + 1 < batches ? 1 : 0);
    }
    return sum;
}

static uint64_t work(unsigned long thread) { return thread == 0 ? produce() : consume(); }

int main(int argc, char **argv)
{
    alloc_init();
    size = argument(argc, argv, "--size", 64);
    batches = argument(argc, argv, "--objects", 10000000) / BATCH;
    if (size < SIZE_MIN || batches == 0) {
        fprintf(stderr, "producer: --size takes %d bytes at least, --objects %d\n", SIZE_MIN, BATCH);
        return 2;
    }
    double started = report_now();
    uint64_t checksum = run_threads(2, work);
    /* One object is made by one thread and freed by the other: the time of an object is the wall time. */
    report_operations("producer", 2, started, 2 * batches * BATCH, checksum, "");
    return 0;
}
