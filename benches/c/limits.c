/*
 * What the memory of this machine can do, to judge a marker by: no allocator takes part.
 *
 *     limits [--megabytes N] [--order 0|1] [--threads N]
 *
 * random_ns, random_huge_ns: reading lines of 64 bytes at random, everything asked for well ahead, on small and on huge
 * pages. sequential_gib_s: reading in order. first_touch_ns: a byte in a fresh page of 4 KiB.
 *
 * collect_ms is what a full mark of as many bytes of 64-byte objects takes at least: every line once, at random on small
 * pages (--order 0) or in order, together with an array of their addresses (--order 1). All figures are of all threads
 * together, each with its share of the bytes.
 */
#include "report.h"

#include <sys/mman.h>

enum { LINE = 64, OS_PAGE = 4096, HUGE_PAGE = 2 << 20, AHEAD = 32, ADDRESS = 8 };

struct line {
    uint64_t words[LINE / sizeof(uint64_t)];
};

static struct line *lines;
static uint64_t line_count;             /* of one thread */

/* Fresh memory on pages of one kind, aligned to huge pages. */
static void *fresh(size_t size, int advice)
{
    char *memory = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        fprintf(stderr, "limits: the system refused %zu bytes\n", size);
        exit(1);
    }
    memory += -(uintptr_t)memory & (HUGE_PAGE - 1);
    madvise(memory, size, advice);      /* a kernel without huge pages refuses: then both figures are the same */
    return memory;
}

static uint64_t touch(unsigned long thread)
{
    char *bytes = (char *)(lines + thread * line_count);
    for (size_t at = 0; at < line_count * LINE; at += OS_PAGE)
        bytes[at] = 1;
    return 0;
}

static uint64_t read_randomly(unsigned long thread)
{
    const struct line *own = lines + thread * line_count;
    uint64_t ahead[AHEAD], state = thread, sum = 0;
    for (unsigned long i = 0; i < AHEAD; i++)
        __builtin_prefetch(&own[ahead[i] = random_below(&state, line_count)]);
    for (uint64_t i = 0; i < line_count; i++) {
        sum += own[ahead[i % AHEAD]].words[0];
        __builtin_prefetch(&own[ahead[i % AHEAD] = random_below(&state, line_count)]);
    }
    return sum;
}

static uint64_t read_in_order(unsigned long thread)
{
    const struct line *own = lines + thread * line_count;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < line_count; i++)
        for (size_t word = 0; word < LINE / sizeof(uint64_t); word++)
            sum += own[i].words[word];
    return sum;
}

/* The seconds that all threads take together. */
static double timed(unsigned long threads, uint64_t (*body)(unsigned long thread))
{
    static volatile uint64_t result;
    double started = report_now();
    result = run_threads(threads, body);
    (void)result;
    return report_now() - started;
}

int main(int argc, char **argv)
{
    char figures[256];
    unsigned long threads = argument_threads(argc, argv), order = argument(argc, argv, "--order", 0);
    line_count = (argument(argc, argv, "--megabytes", 1024) << 20) / LINE / threads;
    if (line_count == 0 || order > 1) {
        fprintf(stderr, "limits: --megabytes takes at least 1, --order 0 or 1\n");
        return 2;
    }
    double count = (double)(line_count * threads), started = report_now();

    lines = fresh(line_count * threads * LINE, MADV_HUGEPAGE);
    timed(threads, touch);
    double huge_s = timed(threads, read_randomly);
    munmap(lines, line_count * threads * LINE);

    lines = fresh(line_count * threads * LINE, MADV_NOHUGEPAGE);
    double touch_s = timed(threads, touch);
    double small_s = timed(threads, read_randomly);
    double in_order_s = timed(threads, read_in_order);

    double least_s = order == 0 ? small_s : in_order_s * (LINE + ADDRESS) / LINE;
    snprintf(figures, sizeof figures,
             "random_ns=%.2f random_huge_ns=%.2f sequential_gib_s=%.2f first_touch_ns=%.0f collect_ms=%.2f",
             small_s * 1e9 / count, huge_s * 1e9 / count, count * LINE / in_order_s / (double)(1 << 30),
             touch_s * 1e9 / (count * LINE / OS_PAGE), least_s * 1e3);
    report("limits", threads, started, 0, figures);
    return 0;
}
