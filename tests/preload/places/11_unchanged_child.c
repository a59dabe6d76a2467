/* Row 11: the only pointer is written to such a mapping by a forked child, which shares its pages with its parent until
 * then; and by the parent, after the child has ended.
 * blind: written
 */
#include "unchanged.h"

#include <sys/wait.h>

static void put(void)
{
    *large_page(1000) = (uintptr_t)victim_new();
}

static int attempt(void)
{
    run(put);
    churn();
    return victim_is_whole((struct victim *)*large_page(1000));
}

int main(void)
{
    int status;
    large_make(NULL);
    pid_t child = fork();
    NEED(child >= 0);
    if (child == 0) {
        for (int i = 0; i < 4; i++)
            malloc_trim(0);
        _exit(attempt() ? 0 : 1);
    }
    NEED(waitpid(child, &status, 0) == child);
    return verdict(attempt() && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
