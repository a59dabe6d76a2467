/* The child of tests/single_step.rs: it allocates and frees a few objects of one class, again and again, while a tracer
 * stops it at every instruction.
 *
 * usage: loop (malloc|gc_malloc|malloc_inline|cache_malloc|cache_malloc_typed) ROUNDS
 *
 * It says where its table is, and stops itself; from then on the tracer steps it.  A second thread, which is not traced,
 * collects whenever it is sent a byte, and answers with the number of collections.  Before each call the registers that
 * a call may lose and the stack below are wiped, so that no stale copy of a slot hides a lost one.
 */
#include <gleaner_inline.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

enum { HELD = 6, BYTES = 40, WARM = 64, AFTER = 4000 };

/* What the program has in use; the tracer reads it. */
void *volatile held[HELD];

static void *(*allocate)(size_t);
static void (*release)(void *);

/* What gleaner_inline.h puts into a program; exported, for the tracer to find. */
static gc_cache *cache;
static gc_layout layout;

__attribute__((noinline)) void *malloc_inline(size_t size) {
    (void)size;
    return gc_malloc_inline(BYTES);
}

__attribute__((noinline)) void *cache_malloc(size_t size) {
    (void)size;
    return gc_cache_malloc(cache);
}

__attribute__((noinline)) void *cache_malloc_typed(size_t size) {
    (void)size;
    return gc_cache_malloc_typed(cache, BYTES, layout);
}

static void choose(const char *name) {
    static const unsigned long first_two = 3;
    int is_typed = strcmp(name, "cache_malloc_typed") == 0;
    release = gc_free;
    if (strcmp(name, "malloc") == 0) {
        allocate = malloc;
        release = free;
    } else if (strcmp(name, "malloc_inline") == 0) {
        allocate = malloc_inline;
    } else if (is_typed || strcmp(name, "cache_malloc") == 0) {
        allocate = is_typed ? cache_malloc_typed : cache_malloc;
        cache = gc_cache_get(BYTES, is_typed ? GC_KIND_TYPED : GC_KIND_SCANNED);
        layout = gc_layout_from_bitmap(&first_two, 2);
    } else {
        allocate = gc_malloc;
    }
}

static void *collect_when_told(void *unused) {
    char byte;
    (void)unused;
    while (read(0, &byte, 1) == 1) {
        unsigned long number;
        gc_collect();
        number = gc_collections();
        if (write(1, &number, sizeof number) != (ssize_t)sizeof number)
            _exit(3);
    }
    return NULL;
}

/* function(argument), with nothing left over in the registers it may use, nor in the stack below. */
__attribute__((noinline)) static void *call_wiped(void *function, void *argument) {
    void *result;
    /* What lies within 128 bytes of the stack pointer may be the compiler's. */
    __asm__ volatile("mov %%rsp, %%rbx\n\t"
                     "sub $128, %%rsp\n\t"
                     "and $-16, %%rsp\n\t"
                     "mov %%rdi, %%r12\n\t"
                     "lea -256(%%rsp), %%rdi\n\t"
                     "mov $32, %%ecx\n\t"
                     "xor %%eax, %%eax\n\t"
                     "rep stosq\n\t"
                     "mov %%r12, %%rdi\n\t"
                     "mov %%rsi, %%r13\n\t"
                     "xor %%r12d, %%r12d\n\t"
                     "xor %%ecx, %%ecx\n\t"
                     "xor %%edx, %%edx\n\t"
                     "xor %%esi, %%esi\n\t"
                     "xor %%r8d, %%r8d\n\t"
                     "xor %%r9d, %%r9d\n\t"
                     "xor %%r10d, %%r10d\n\t"
                     "xor %%r11d, %%r11d\n\t"
                     "call *%%r13\n\t"
                     "mov %%rbx, %%rsp\n\t"
                     : "=a"(result), "+D"(argument), "+S"(function)
                     :
                     : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "memory", "cc", "xmm0", "xmm1", "xmm2",
                       "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                       "xmm15");
    return result;
}

/* First in, first out: the word above `top` is then another slot than the one that is freed. */
static void churn(long rounds) {
    for (long round = 0; round < rounds; round++) {
        for (int i = 0; i < HELD; i++) {
            held[i] = call_wiped((void *)allocate, (void *)(uintptr_t)BYTES);
            memset(held[i], 0x5a, BYTES);
        }
        for (int i = 0; i < HELD; i++) {
            for (int byte = 0; byte < BYTES; byte++)
                if (((unsigned char *)held[i])[byte] != 0x5a)
                    _exit(4);
            void *object = held[i];
            held[i] = NULL;
            call_wiped((void *)release, object);
            object = NULL;
        }
    }
}

static int by_address(const void *a, const void *b) {
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return (x > y) - (x < y);
}

/* A slot that was lost has been handed out twice by now. */
static int all_are_apart(void) {
    static uintptr_t objects[AFTER];
    for (int i = 0; i < AFTER; i++)
        objects[i] = (uintptr_t)allocate(BYTES);
    qsort(objects, AFTER, sizeof *objects, by_address);
    for (int i = 1; i < AFTER; i++)
        if (objects[i] - objects[i - 1] < BYTES)
            return 0;
    return 1;
}

int main(int argc, char **argv) {
    pthread_t collector;
    void *warm[WARM];
    uintptr_t places[2];
    long rounds;
    if (argc != 3)
        return 2;
    choose(argv[1]);
    rounds = strtol(argv[2], NULL, 10);

    /* The magazine gets its array, and half of it is filled: no call below needs the slow path. */
    for (int i = 0; i < WARM; i++)
        warm[i] = allocate(BYTES);
    for (int i = 0; i < WARM; i++)
        release(warm[i]);
    memset(warm, 0, sizeof warm);

    if (pthread_create(&collector, NULL, collect_when_told, NULL) != 0)
        return 2;
    places[0] = (uintptr_t)held;
    places[1] = HELD;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        perror("ptrace");
        return 2;
    }
    if (write(1, places, sizeof places) != (ssize_t)sizeof places)
        return 2;
    raise(SIGSTOP);
    churn(rounds);
    raise(SIGSTOP);
    if (!all_are_apart())
        return 5;
    gc_collect();
    return 0;
}
