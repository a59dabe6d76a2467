/*
 * A leak, as an unmodified C program has it: four threads take pieces of 30 bytes from malloc, write them, and forget
 * all but a few. What is kept is checked at the end; what is forgotten shows in the footprint.
 *
 *     leak [--megabytes N] [--threads N] [--piece BYTES]
 *
 * Prints the peak of the resident set and its size at the end, after all threads are gone and before anything else.
 */
#define USE_MALLOC
#include "report.h"

enum { KEPT_A_THREAD = 1000 };

static unsigned long threads, megabytes, piece_bytes;

/* Fills a piece from its number; the same function says whether a piece still holds that number's bytes. */
static unsigned char piece_byte(uint64_t number, size_t i) { return (unsigned char)(mix(number) >> (i % 8 * 8)); }

static unsigned char *piece_new(uint64_t number)
{
    unsigned char *piece = alloc_scanned(piece_bytes);
    for (size_t i = 0; i < piece_bytes; i++)
        piece[i] = piece_byte(number, i);
    return piece;
}

static uint64_t piece_sum(const unsigned char *piece, uint64_t number)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < piece_bytes; i++) {
        if (piece[i] != piece_byte(number, i)) {
            fprintf(stderr, "leak: byte %zu of kept piece %llu at %p has changed\n", i, (unsigned long long)number,
                    (const void *)piece);
            abort();
        }
        sum += (i + 1) * piece[i];
    }
    return mix(number) + sum;
}

/* The thread's kept pieces hang in an array of its own from malloc: found only through the stack of this thread. */
static uint64_t leak(unsigned long thread)
{
    uint64_t count = megabytes * 1000000 / piece_bytes / threads;
    uint64_t first = thread * count, sum = 0;
    uint64_t keep_each = count / KEPT_A_THREAD + 1;
    unsigned char **kept = alloc_scanned(KEPT_A_THREAD * sizeof *kept);
    for (uint64_t i = 0; i < count; i++) {
        unsigned char *piece = piece_new(first + i);
        if (i % keep_each == 0)
            kept[i / keep_each] = piece;
    }
    for (uint64_t i = 0; i < count; i += keep_each)
        sum += piece_sum(kept[i / keep_each], first + i);
    return sum;
}

int main(int argc, char **argv)
{
    char footprint[96];
    threads = argument(argc, argv, "--threads", 4);
    megabytes = argument(argc, argv, "--megabytes", 1000);
    piece_bytes = argument(argc, argv, "--piece", 30);
    if (threads < 1 || threads > THREADS_MAX || piece_bytes == 0) {
        fprintf(stderr, "leak: --threads takes 1 to %d, --piece at least 1\n", THREADS_MAX);
        return 2;
    }
    double started = report_now();
    uint64_t checksum = run_threads(threads, leak);
    snprintf(footprint, sizeof footprint, "megabytes=%lu final_rss_kb=%lu", megabytes, report_rss_kb("VmRSS"));
    report("leak", threads, started, checksum, footprint);
    return 0;
}
