/* The only pointer is with a child process for a while, as the letters of a number: no search can find it, and it comes back
 * in time if there is a grace. Three collections happen meanwhile.
 *
 * survives: grace=4
 * survives: grace=4:zeal=100000:verify=1:recheck=1
 * survives: grace=2,3600
 * lost: grace=1
 * lost: grace=2
 * lost: grace=3
 */
#include "preload.h"
#include <sys/wait.h>

enum { LETTERS = 20 };
static int there[2], back[2];

static void put(void)
{
    char letters[LETTERS + 1];
    NEED(snprintf(letters, sizeof letters, "%0*lu", LETTERS, (unsigned long)victim_new()) == LETTERS);
    NEED(write(there[1], letters, LETTERS) == LETTERS);
}

static struct victim *get(void)
{
    char letters[LETTERS + 1] = "";
    NEED(read(back[0], letters, LETTERS) == LETTERS);
    return (struct victim *)strtoul(letters, NULL, 10);
}

int main(void)
{
    NEED(pipe(there) == 0 && pipe(back) == 0);
    pid_t child = fork();
    if (child == 0) {
        char letters[LETTERS], go;
        int has_read = read(there[0], letters, LETTERS) == LETTERS && read(there[0], &go, 1) == 1;
        _exit(has_read && write(back[1], letters, LETTERS) == LETTERS ? 0 : 1);
    }
    run(put);
    churn();
    NEED(write(there[1], "g", 1) == 1);
    int is_whole = victim_is_whole(get());
    int status;
    NEED(waitpid(child, &status, 0) == child && status == 0);
    return verdict(is_whole);
}
