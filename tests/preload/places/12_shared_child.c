/* Row 12: the only pointer is in anonymous memory that a child shares with its parent, and that the child has not touched.
 * blind: shared
 */
#include "preload.h"

#include <sys/mman.h>
#include <sys/wait.h>

static struct victim **place;

static void put(void)
{
    place[100] = victim_new();
}

int main(void)
{
    int status;
    place = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    NEED(place != MAP_FAILED);
    run(put);
    pid_t child = fork();
    NEED(child >= 0);
    if (child == 0) {
        churn();
        judge(place[100]);
        fflush(stdout);
        _exit(0);
    }
    NEED(waitpid(child, &status, 0) == child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}
