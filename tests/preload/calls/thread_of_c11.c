/* Calls on a thread that C11 has made, which has never allocated. */
#define ROUNDS 8
#define MAKE_CALLS be_thread()
static void be_thread(void);
#include "calls.h"

#include <threads.h>

static int pair[2];

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
    fill_big();
    connected(pair, SOCK_STREAM, SO_SNDTIMEO);
}

void partner(void)
{
    linger();
    drain(pair[1], BIG);
}

void call(void)
{
    ended(send(pair[0], big, BIG, 0));
}
