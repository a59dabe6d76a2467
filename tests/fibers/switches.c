/* What gc_fiber_switch adds to a switch: two stacks that switch to and fro, bare and as fibers.
 *
 *     switches COUNT */
#include "../c/contract/fibers.h"

enum { STACK_BYTES = 64 << 10, ROUNDS = 5 };

static struct place here, there;
static struct jump to = {&here, &there}, from = {&there, &here};
static gc_fiber *own, *other;
static const struct way *way;

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void switch_bare(void *unused)
{
    (void)unused;
    for (;;)
        way->jump(&from);
}

static void switch_fibers(void *unused)
{
    (void)unused;
    for (;;)
        gc_fiber_switch(own, way->jump, &from);
}

/* The best of some rounds, in nanoseconds a switch. */
static double measure(size_t count, int is_bare)
{
    char *stack = map(STACK_BYTES);
    double best = 1e9;
    void *sp = way->prepare(&there, stack, STACK_BYTES, is_bare ? switch_bare : switch_fibers, NULL);
    own = gc_fiber_current();
    other = gc_fiber_new(stack, STACK_BYTES, sp, NULL, GC_FIBER_ROOT);
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns(), spent;
        for (size_t i = 0; i < count / 2; i++) {
            if (is_bare)
                way->jump(&to);
            else
                gc_fiber_switch(other, way->jump, &to);
        }
        spent = (now_ns() - start) / (double)count;
        best = spent < best ? spent : best;
    }
    gc_fiber_free(other);
    munmap(stack, STACK_BYTES);
    return best;
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    double bare[WAYS_COUNT], fibers[WAYS_COUNT];
    for (size_t i = 0; i < WAYS_COUNT; i++) {
        way = &WAYS[i];
        bare[i] = measure(count, 1);
        fibers[i] = measure(count, 0);
    }
    printf("switches: hand_ns=%.1f hand_fiber_ns=%.1f hand_added_ns=%.1f ucontext_ns=%.1f ucontext_fiber_ns=%.1f "
           "ucontext_added_ns=%.1f\n",
           bare[0], fibers[0], fibers[0] - bare[0], bare[1], fibers[1], fibers[1] - bare[1]);
    return 0;
}
