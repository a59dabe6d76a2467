/* Every signal gets its default action, as daemons do that begin: none had a handler. Collections go on, and a read that
 * waits by a system call of the program's own does.
 */
#include "raw_read.h"

void (*by_sigset(int number, void (*handler)(int)))(int) __asm__("sigset");

void prepare(void)
{
    int had_none = 0, had_one = 0, ignored = 0;
    for (int number = 1; number < NSIG; number++) {
        void (*former)(int) = signal(number, SIG_DFL), (*again)(int) = by_sigset(number, SIG_DFL);
        had_none += former == SIG_DFL && again == SIG_DFL;
        had_one += (former != SIG_DFL && former != SIG_ERR) || (again != SIG_DFL && again != SIG_ERR);
        ignored += number != SIGALRM && sigignore(number) == 0;
    }
    printf("without a handler: %d, with one: %d, ignored: %d\n", had_none, had_one, ignored);
    connected(pair, SOCK_STREAM, 0);
}
