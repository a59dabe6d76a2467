/* Row 28: the only pointer is in a request of a ring. Who has a ring tells the kernel what nobody else sees: nothing is
 * reclaimed from then on.
 * blind: rings
 * needs: test "$(cat /proc/sys/kernel/io_uring_disabled 2>/dev/null || echo 0)" = 0
 */
#include "preload.h"

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static struct io_uring_params parameters;
static char *ring, *done;
static struct io_uring_sqe *requests;
static int set;

static void *map(size_t bytes, off_t offset)
{
    void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, set, offset);
    NEED(start != MAP_FAILED);
    return start;
}

static unsigned *word(char *start, unsigned offset)
{
    return (unsigned *)(void *)(start + offset);
}

/* By the instruction: the C library has no function for these. */
static long call(long number, long a, long b, long c, long d)
{
    long result;
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = 0, r9 __asm__("r9") = 0;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* A request that is done at once, and whose result nobody has looked at. */
static void put(void)
{
    requests[0].opcode = IORING_OP_NOP;
    requests[0].user_data = (uintptr_t)victim_new();
    *word(ring, parameters.sq_off.array) = 0;
    __atomic_store_n(word(ring, parameters.sq_off.tail), 1, __ATOMIC_RELEASE);
    NEED(call(SYS_io_uring_enter, set, 1, 1, IORING_ENTER_GETEVENTS) == 1);
    memset(&requests[0], 0, sizeof requests[0]);
}

static struct victim *take(void)
{
    struct io_uring_cqe *cqe = (void *)(done + parameters.cq_off.cqes);
    return (struct victim *)(uintptr_t)cqe->user_data;
}

int main(void)
{
    set = (int)call(SYS_io_uring_setup, 4, (long)&parameters, 0, 0);
    NEED(set >= 0);
    ring = map(parameters.sq_off.array + parameters.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
    done = map(parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
    requests = map(parameters.sq_entries * sizeof *requests, IORING_OFF_SQES);
    run(put);
    churn();
    return judge(take());
}
