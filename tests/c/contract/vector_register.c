/* A pointer that only a vector register of a running thread holds keeps its object; those that nothing holds are
 * gone. */
#include <pthread.h>
#include "check.h"

enum { COLLECTIONS = 3 };

static gc_weak *held, *dropped[MANY];
static int is_ready, is_over;

static NOINLINE void *object(gc_weak **cell)
{
    void *p = gc_malloc(64);
    *cell = observe(p);
    return p;
}

static void drop(void)
{
    size_t i;
    for (i = 0; i < MANY; i++)
        use(object(&dropped[i]));
}

/* From here on the program is the loop: no general register has the address, nor the stack, nor the 128 bytes below it. */
static NOINLINE void hold_in_vector_register(void *p)
{
    __asm__ volatile("movq %[p], %%xmm7\n\t"
                     "xor %%eax, %%eax\n\t"
                     "lea -128(%%rsp), %[p]\n\t"
                     "movl $16, %%ecx\n\t"
                     "rep stosq\n\t"
                     "xor %k[p], %k[p]\n\t"
                     "xor %%ebx, %%ebx\n\t"
                     "xor %%edx, %%edx\n\t"
                     "xor %%esi, %%esi\n\t"
                     "xor %%r8d, %%r8d\n\t"
                     "xor %%r9d, %%r9d\n\t"
                     "xor %%r10d, %%r10d\n\t"
                     "xor %%r11d, %%r11d\n\t"
                     "xor %%r12d, %%r12d\n\t"
                     "xor %%r13d, %%r13d\n\t"
                     "xor %%r14d, %%r14d\n\t"
                     "xor %%r15d, %%r15d\n\t"
                     "movl $1, %[ready]\n"
                     "1:\n\t"
                     "cmpl $0, %[over]\n\t"
                     "je 1b\n\t"
                     "movq %%xmm7, %[p]"
                     : [p] "+&D"(p), [ready] "=m"(is_ready)
                     : [over] "m"(is_over)
                     : "memory", "cc", "xmm7", "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12",
                       "r13", "r14", "r15");
    memset(p, 1, 64);
}

static void *work(void *argument)
{
    /* The last of many, so that the library's own data does not point to it as to the first of a block. */
    run(drop);
    hold_in_vector_register(object(&held));
    return argument;
}

int main(void)
{
    pthread_t thread;
    int i;
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0, "no thread");
    while (!__atomic_load_n(&is_ready, __ATOMIC_ACQUIRE))
        sched_yield();
    for (i = 0; i < COLLECTIONS; i++)
        gc_collect();
    CHECK(gc_weak_get(held) != NULL, "the object that a vector register holds is gone after %lu collections",
          gc_collections());
    /* The other vector registers may still hold what was copied by them last: a few dozen addresses. */
    CHECK(cleared(dropped, MANY) >= MANY - MANY / 10, "%zu of %d objects that nothing holds are still there",
          MANY - cleared(dropped, MANY), MANY);
    __atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
    CHECK(pthread_join(thread, NULL) == 0, "join");
    return 0;
}
