/* Threads that move their stack pointer to memory of every sort: private and shared mappings, static memory, the heap. The
 * only pointer to an object is in a frame there while another thread collects, and while they collect themselves.
 */
#include "preload.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

enum { STACK_BYTES = 1 << 18, SORTS = 4 };

static const char *const names[SORTS] = {"a private mapping", "a shared mapping", "static memory", "the heap"};
static _Alignas(4096) char static_stack[STACK_BYTES];
static atomic_int is_there, has_collected, is_whole;

static void *stack_of(int sort)
{
    int flags = sort == 1 ? MAP_SHARED | MAP_ANONYMOUS : MAP_PRIVATE | MAP_ANONYMOUS;
    void *stack = sort == 2   ? static_stack
                  : sort == 3 ? malloc(STACK_BYTES)
                              : mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
    NEED(stack != NULL && stack != MAP_FAILED);
    return stack;
}

/* Runs there. The pointer is in this frame only. */
static NOINLINE void waits_there(void)
{
    struct victim *volatile kept = victim_new();
    churn();
    is_there = 1;
    while (!has_collected)
        sched_yield();
    is_whole = victim_is_whole(kept);
}

static NOINLINE void on_another_stack(char *stack)
{
    __asm__ volatile("mov %%rsp, %%rbx\n"
                     "mov %0, %%rsp\n"
                     "call *%1\n"
                     "mov %%rbx, %%rsp\n"
                     :
                     : "r"(stack + STACK_BYTES), "r"(waits_there)
                     : "rbx", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
}

static void *moves(void *stack)
{
    on_another_stack(stack);
    return NULL;
}

int main(void)
{
    for (int sort = 0; sort < SORTS; sort++) {
        pthread_t thread;
        is_there = has_collected = 0;
        NEED((errno = pthread_create(&thread, NULL, moves, stack_of(sort))) == 0);
        while (!is_there)
            sched_yield();
        churn();
        has_collected = 1;
        pthread_join(thread, NULL);
        printf("%s: %s\n", names[sort], is_whole ? "survived" : "lost");
    }
    return 0;
}
