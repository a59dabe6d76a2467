/* sigsuspend waits for the one signal that it lets in, and for no other. */
#include "let_in.h"

void prepare(void)
{
    prepare_signal();
}

void call(void)
{
    int before = handled;
    ended(sigsuspend(&all_but_it));
    expect_one_more_than(before);
}
