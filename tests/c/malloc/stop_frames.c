/* What a thread held when it was last stopped keeps nothing once it holds it no more. The kernel saves its registers on its
 * stack, or on its alternate one, for each stop anew, and what it saved stays behind there: among what a later stop saves,
 * where the kernel leaves gaps, and for as long as the thread waits.
 */
#define _GNU_SOURCE
#include "family.h"
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>

enum { ROUNDS = 48, DEPTH_STEP = 64, DEPTH_FIRST = 4096, ALTERNATE_BYTES = 64 << 10, BYTES = 64, ENOUGH = 200 };

static gc_weak *cell;
/* Complemented: only the vector registers of the thread have the address. */
static uintptr_t hidden;
static int is_ready, is_over;
static size_t wanted_depth;
static sem_t begin, end;

static void make(void)
{
    static void *several[ENOUGH];
    int i;
    /* The last of several: the library's own data does not point to it as to the first of a block. */
    for (i = 0; i < ENOUGH; i++)
        several[i] = gc_malloc(BYTES);
    cell = observe(several[ENOUGH - 1]);
    hidden = hide(several[ENOUGH - 1]);
    memset(several, 0, sizeof several);
}

/* Stands in a loop, `depth` bytes deeper, until it is over, with an object in all vector registers of SSE, or with none. The
 * stack down to there is cleared, and so are the 128 bytes below. */
static NOINLINE void stand(size_t depth, uintptr_t complement)
{
    __asm__ volatile("mov %%rsp, %%rbx\n\t"
                     "sub %[depth], %%rsp\n\t"
                     "and $-64, %%rsp\n\t"
                     "lea -128(%%rsp), %%rdi\n\t"
                     "lea -256(%%rbx), %%rcx\n\t"
                     "sub %%rdi, %%rcx\n\t"
                     "shr $3, %%rcx\n\t"
                     "xor %%eax, %%eax\n\t"
                     "rep stosq\n\t"
                     "not %[complement]\n\t"
                     "movq %[complement], %%xmm0\n\t"
                     "punpcklqdq %%xmm0, %%xmm0\n\t"
                     "movdqa %%xmm0, %%xmm1\n\tmovdqa %%xmm0, %%xmm2\n\tmovdqa %%xmm0, %%xmm3\n\tmovdqa %%xmm0, %%xmm4\n\t"
                     "movdqa %%xmm0, %%xmm5\n\tmovdqa %%xmm0, %%xmm6\n\tmovdqa %%xmm0, %%xmm7\n\tmovdqa %%xmm0, %%xmm8\n\t"
                     "movdqa %%xmm0, %%xmm9\n\tmovdqa %%xmm0, %%xmm10\n\tmovdqa %%xmm0, %%xmm11\n\tmovdqa %%xmm0, %%xmm12\n\t"
                     "movdqa %%xmm0, %%xmm13\n\tmovdqa %%xmm0, %%xmm14\n\tmovdqa %%xmm0, %%xmm15\n\t"
                     "xor %[complement], %[complement]\n\t"
                     "xor %%edi, %%edi\n\t"
                     "movl $1, %[ready]\n"
                     "1:\n\t"
                     "cmpl $0, %[over]\n\t"
                     "je 1b\n\t"
                     "pxor %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\tpxor %%xmm2, %%xmm2\n\tpxor %%xmm3, %%xmm3\n\t"
                     "pxor %%xmm4, %%xmm4\n\tpxor %%xmm5, %%xmm5\n\tpxor %%xmm6, %%xmm6\n\tpxor %%xmm7, %%xmm7\n\t"
                     "pxor %%xmm8, %%xmm8\n\tpxor %%xmm9, %%xmm9\n\tpxor %%xmm10, %%xmm10\n\tpxor %%xmm11, %%xmm11\n\t"
                     "pxor %%xmm12, %%xmm12\n\tpxor %%xmm13, %%xmm13\n\tpxor %%xmm14, %%xmm14\n\tpxor %%xmm15, %%xmm15\n\t"
                     "mov %%rbx, %%rsp"
                     : [complement] "+S"(complement), [depth] "+d"(depth), [ready] "=m"(is_ready)
                     : [over] "m"(is_over)
                     : "memory", "cc", "rax", "rbx", "rcx", "rdi", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                       "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

/* Stands where it is told to, and waits in the C library between. */
static void *work(void *alternate)
{
    stack_t stack = {.ss_sp = alternate, .ss_size = ALTERNATE_BYTES};
    CHECK(alternate == NULL || sigaltstack(&stack, NULL) == 0, "no alternate stack: %s", strerror(errno));
    while (sem_wait(&begin) == 0 && wanted_depth != 0) {
        stand(wanted_depth, hidden);
        is_over = 0;
        sem_post(&end);
    }
    return NULL;
}

/* Has the thread stand at a depth, with an object if there is a hidden one. */
static void begin_at(size_t depth)
{
    wanted_depth = depth;
    sem_post(&begin);
    while (!__atomic_load_n(&is_ready, __ATOMIC_ACQUIRE))
        sched_yield();
    is_ready = 0;
    hidden = hide(NULL);
}

static void end_there(void)
{
    __atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
    while (sem_wait(&end) != 0)
        continue;
}

static void drive(const char *where, void *alternate)
{
    pthread_t thread;
    int round, gone_deeper = 0, gone_waiting = 0;
    CHECK(pthread_create(&thread, NULL, work, alternate) == 0, "no thread");
    for (round = 0; round < 2 * ROUNDS; round++) {
        run(make);
        begin_at(DEPTH_FIRST);
        gc_collect();
        CHECK(gc_weak_get(cell) != NULL, "%s: the object that registers hold is gone", where);
        end_there();
        if (round % 2 == 0) {
            gc_collect();
            gone_waiting += gc_weak_get(cell) == NULL;
        } else {
            begin_at(DEPTH_FIRST + round / 2 * DEPTH_STEP);
            gc_collect();
            gone_deeper += gc_weak_get(cell) == NULL;
            end_there();
        }
        gc_weak_unregister(cell);
    }
    wanted_depth = 0;
    sem_post(&begin);
    CHECK(pthread_join(thread, NULL) == 0, "not joined");
    CHECK(gone_deeper >= ROUNDS - 1, "%s: when it was stopped again, %d of %d were gone", where, gone_deeper, ROUNDS);
    CHECK(gone_waiting >= ROUNDS - 1, "%s: when it waited, %d of %d were gone", where, gone_waiting, ROUNDS);
}

int main(void)
{
    void *alternate = mmap(NULL, ALTERNATE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(alternate != MAP_FAILED, "no memory");
    CHECK(sem_init(&begin, 0, 0) == 0 && sem_init(&end, 0, 0) == 0, "no semaphore");
    drive("its own stack", NULL);
    drive("an alternate stack", alternate);
    return 0;
}
