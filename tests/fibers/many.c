/* Very many parked fibers, each with the only address of its object on its stack, some frames down: after collections each
 * object is there. And what a collection costs, beside the bytes of stacks that are used.
 *
 *     many hand|ucontext FIBERS STACK_BYTES FRAMES root|object
 *
 * FRAMES is the mean number of frames of about 256 bytes; fibers have from a quarter of it to a bit more than double. */
#include "../c/contract/fibers.h"

#include <unistd.h>

enum { FRAME_BYTES = 208, ROUNDS = 7 };

struct object {
    size_t number;
    size_t complement;
    size_t rest[6];
};

static struct coroutine *coroutines;
static size_t count, stack_bytes, frames, used_bytes, objects_right;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static size_t resident_mib(void)
{
    size_t size, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%zu %zu", &size, &resident) == 2, "no statm");
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE) >> 20;
}

static struct object *new_object(size_t number)
{
    struct object *object = gc_malloc(sizeof *object);
    object->number = number;
    object->complement = ~number;
    return object;
}

static NOINLINE void hold(struct coroutine *c, size_t number, size_t depth)
{
    volatile char room[FRAME_BYTES];
    memset((void *)room, 0, sizeof room);
    if (depth > 0) {
        hold(c, number, depth - 1);
        use((const void *)room);
        return;
    }
    struct object *object = new_object(number);
    used_bytes += (size_t)(c->stack + c->size - (char *)__builtin_frame_address(0));
    yield_from(c);
    objects_right += object->number == number && object->complement == ~number;
}

static void body(struct coroutine *c, void *argument)
{
    size_t number = (size_t)argument;
    hold(c, number, frames * (1 + number % 8) / 4);
}

static NOINLINE void churn(void)
{
    for (size_t i = 0; i < count; i++)
        use(new_object(i));
}

int main(int argc, char **argv)
{
    CHECK(argc == 6, "five arguments are wanted");
    const struct way *way = &WAYS[strcmp(argv[1], "hand") != 0];
    enum gc_fiber_life life = strcmp(argv[5], "root") == 0 ? GC_FIBER_ROOT : GC_FIBER_OBJECT;
    count = strtoul(argv[2], NULL, 10);
    stack_bytes = strtoul(argv[3], NULL, 10);
    frames = strtoul(argv[4], NULL, 10);
    char *stacks = map(count * stack_bytes);
    /* Saved contexts have the objects' addresses, too: behind malloc they are where nobody searches them. */
    void *of_malloc = malloc(16);
    size_t bytes = count * sizeof *coroutines;
    coroutines = gc_contains(of_malloc) ? gc_malloc_atomic(bytes) : map(bytes);
    free(of_malloc);
    /* Only this table keeps fibers that are objects. */
    gc_fiber **handles = gc_malloc(count * sizeof *handles);
    for (size_t i = 0; i < count; i++) {
        gc_fiber *fiber = make_coroutine(&coroutines[i], way, stacks + i * stack_bytes, stack_bytes, life, body, (void *)i);
        if (life == GC_FIBER_OBJECT)
            handles[i] = fiber;
        resume(&coroutines[i]);
    }
    churn();
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ms(), spent;
        gc_collect();
        spent = now_ms() - start;
        best = spent < best ? spent : best;
    }
    size_t resident = resident_mib();
    churn();
    for (size_t i = 0; i < count; i++) {
        resume(&coroutines[i]);
        CHECK(coroutines[i].is_over, "fiber %zu is not over", i);
        gc_fiber_free(fiber_of(&coroutines[i]));
    }
    use(handles);
    printf("many: fibers=%zu right=%zu used_mib=%.1f collect_ms=%.1f ns_a_used_kib=%.0f resident_mib=%zu collections=%lu\n",
           count, objects_right, (double)used_bytes / 1048576, best, best * 1e6 / ((double)used_bytes / 1024), resident,
           gc_collections());
    return objects_right == count ? 0 : 1;
}
