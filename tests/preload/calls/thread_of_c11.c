/* Calls on a thread that C11 has made, which has never allocated. */
#define MAKE_CALLS be_thread()
static void be_thread(void);
#include "sender.h"

#include <threads.h>

static int run(void *unused)
{
    make_calls(unused);
    return 0;
}

static void be_thread(void)
{
    thrd_t thread;
    NEED(thrd_create(&thread, run, NULL) == thrd_success);
    NEED(thrd_join(thread, NULL) == thrd_success);
}

void prepare(void)
{
    send_by_socket(SO_SNDTIMEO);
}

void call(void)
{
    ended(send(to, big, BIG, 0));
}
