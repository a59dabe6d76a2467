/* Row 28: the only pointer is the data of a request that the kernel works on. Nothing is reclaimed while such requests can be
 * made.
 * blind: rings
 */
#include "preload.h"

#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/syscall.h>

static aio_context_t context;
static int ends[2];

static void put(void)
{
    struct iocb request = {.aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = POLLIN, .aio_fildes = (unsigned)ends[0]};
    struct iocb *requests = &request;
    request.aio_data = (uintptr_t)victim_new();
    NEED(syscall(SYS_io_submit, context, 1, &requests) == 1);
}

static struct victim *take(void)
{
    struct io_event event;
    NEED(syscall(SYS_io_getevents, context, 1, 1, &event, NULL) == 1);
    return (struct victim *)(uintptr_t)event.data;
}

int main(void)
{
    NEED(pipe(ends) == 0 && syscall(SYS_io_setup, 1, &context) == 0);
    run(put);
    churn();
    NEED(write(ends[1], "", 1) == 1);
    return judge(take());
}
