/*
 * Arrays grown by realloc: of a few dozen arrays one picked at random grows by half, from 16 bytes up to a limit of its
 * own between 256 bytes and 4 MiB; then it is dropped and begun anew. What is new is written, a word in each OS page.
 *
 *     grow [--threads N] [--arrays N] [--operations N]           both numbers count those of one thread
 */
#include "report.h"

enum { SIZE_MIN = 16, LIMIT_MIN = 256, DOUBLINGS = 15, OS_PAGE = 4096, ARRAYS_MAX = 64 };

struct array {
    uint64_t *words;
    size_t size, limit;
};

static struct array arrays[THREADS_MAX][ARRAYS_MAX];
static unsigned long array_count, operations;

/* The places of an array that are written: its first word and one each OS page. The word says where it stands. */
static void array_write(struct array *array, size_t from)
{
    for (size_t at = (from + OS_PAGE - 1) / OS_PAGE * OS_PAGE; at < array->size; at += OS_PAGE)
        array->words[at / sizeof *array->words] = mix(array->limit + at);
}

static uint64_t array_end(struct array *array)
{
    for (size_t at = 0; at < array->size; at += OS_PAGE)
        if (array->words[at / sizeof *array->words] != mix(array->limit + at))
            report_lost("grow", array->words, array->words[at / sizeof *array->words], mix(array->limit + at));
    alloc_free(array->words);
    uint64_t size = array->size;
    *array = (struct array){ NULL, 0, 0 };
    return size;
}

static void array_begin(struct array *array, size_t limit)
{
    *array = (struct array){ alloc_scanned(SIZE_MIN), SIZE_MIN, limit };
    array_write(array, 0);
}

static void array_grow(struct array *array)
{
    size_t before = array->size;
    size_t after = (before + before / 2 + sizeof *array->words - 1) / sizeof *array->words * sizeof *array->words;
    array->words = alloc_resized(array->words, after);
    array->size = after;
    array_write(array, before);
}

static uint64_t churn(unsigned long thread)
{
    uint64_t state = thread, sum = 0;
    for (unsigned long i = 0; i < operations; i++) {
        struct array *array = &arrays[thread][random_below(&state, array_count)];
        if (array->size >= array->limit) {
            sum += array_end(array);
            array_begin(array, (size_t)LIMIT_MIN << random_below(&state, DOUBLINGS));
        } else {
            array_grow(array);
        }
    }
    for (unsigned long i = 0; i < array_count; i++)
        sum += array_end(&arrays[thread][i]);
    return sum;
}

int main(int argc, char **argv)
{
    alloc_init();
    unsigned long threads = argument_threads(argc, argv);
    array_count = argument(argc, argv, "--arrays", 64);
    operations = argument(argc, argv, "--operations", 500000);
    if (array_count == 0 || array_count > ARRAYS_MAX) {
        fprintf(stderr, "grow: --arrays takes 1 to %d\n", ARRAYS_MAX);
        return 2;
    }
    double started = report_now();
    uint64_t checksum = run_threads(threads, churn);
    report_operations("grow", threads, started, threads * operations, checksum, "");
    return 0;
}
