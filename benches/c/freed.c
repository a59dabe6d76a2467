/*
 * A freed heap: so many bytes in pieces of one size are allocated and freed, then the program goes on with a little
 * other work: a few objects every millisecond. The resident set some time later says whether the memory went back.
 *
 *     freed [--megabytes N] [--piece BYTES] [--idle N] [--seconds N]
 *
 * --idle threads allocate and free a little before and sleep to the end. rss_after_kb is taken after --seconds, and
 * threads_more counts what threads there are then besides the program's own.
 */
#include "report.h"

enum { OS_PAGE = 4096, IDLE_PIECES = 100, WORK_PIECES = 20, WORK_SIZE_MIN = 16, WORK_SIZES = 256 };

struct piece {
    struct piece *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned long asleep, idle_count;
static int ended;

static void work(uint64_t *state)
{
    void *pieces[WORK_PIECES];
    for (int i = 0; i < WORK_PIECES; i++)
        pieces[i] = alloc_scanned(WORK_SIZE_MIN + random_below(state, WORK_SIZES));
    for (int i = 0; i < WORK_PIECES; i++)
        alloc_release(alloc_opaque(pieces[i]));
}

static void *idle(void *unused)
{
    uint64_t state = 0;
    (void)unused;
    for (int i = 0; i < IDLE_PIECES; i++)
        work(&state);
    pthread_mutex_lock(&lock);
    asleep++;
    pthread_cond_broadcast(&changed);
    while (!ended)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static uint64_t fill_and_free(uint64_t pieces, size_t size)
{
    struct piece *chain = NULL;
    for (uint64_t i = 0; i < pieces; i++) {
        struct piece *piece = alloc_scanned(size);
        piece->next = chain;
        for (size_t at = OS_PAGE; at < size; at += OS_PAGE)
            ((char *)piece)[at] = 1;
        chain = piece;
    }
    uint64_t freed = 0;
    while (chain != NULL) {
        struct piece *next = chain->next;
        alloc_release(chain);
        chain = next;
        freed++;
    }
    return freed;
}

int main(int argc, char **argv)
{
    char figures[160];
    pthread_t threads[THREADS_MAX];
    alloc_init();
    size_t size = argument(argc, argv, "--piece", 64);
    uint64_t pieces = (argument(argc, argv, "--megabytes", 1024) << 20) / (size != 0 ? size : 1);
    unsigned long seconds = argument(argc, argv, "--seconds", 2);
    idle_count = argument(argc, argv, "--idle", 0);
    if (size < sizeof(struct piece) || idle_count > THREADS_MAX) {
        fprintf(stderr, "freed: --piece takes %zu bytes at least, --idle %d at most\n", sizeof(struct piece),
                THREADS_MAX);
        return 2;
    }
    for (unsigned long t = 0; t < idle_count; t++)
        if (pthread_create(&threads[t], NULL, idle, NULL) != 0) {
            fprintf(stderr, "freed: the system refused thread %lu\n", t + 1);
            return 1;
        }
    pthread_mutex_lock(&lock);
    while (asleep < idle_count)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);

    double started = report_now();
    uint64_t checksum = fill_and_free(pieces, size), state = 1;
    double freed = report_now();
    unsigned long freed_kb = report_rss_kb("VmRSS");
    while (report_now() - freed < (double)seconds) {
        work(&state);
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    snprintf(figures, sizeof figures, "rss_freed_kb=%lu rss_after_kb=%lu threads_more=%ld fill_and_free_ns=%.2f",
             freed_kb, report_rss_kb("VmRSS"), (long)report_status("Threads") - (long)(idle_count + 1),
             pieces == 0 ? 0 : (freed - started) * 1e9 / (double)pieces);

    pthread_mutex_lock(&lock);
    ended = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    for (unsigned long t = 0; t < idle_count; t++)
        pthread_join(threads[t], NULL);
    report("freed", 1, started, checksum, figures);
    return 0;
}
