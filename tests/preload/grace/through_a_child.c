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

static int there[2], back[2];

static void put(void)
{
    char letters[32];
    int length = snprintf(letters, sizeof letters, "%lu\n", (unsigned long)victim_new());
    NEED(write(there[1], letters, length) == length);
}

static struct victim *get(void)
{
    char letters[32] = "";
    NEED(read(back[0], letters, sizeof letters - 1) > 0);
    return (struct victim *)strtoul(letters, NULL, 10);
}

int main(void)
{
    NEED(pipe(there) == 0 && pipe(back) == 0);
    pid_t child = fork();
    if (child == 0) {
        char letters[32];
        ssize_t length = read(there[0], letters, sizeof letters);
        char go;
        if (read(there[0], &go, 1) == 1 && write(back[1], letters, length) == length)
            _exit(0);
        _exit(1);
    }
    run(put);
    churn();
    NEED(write(there[1], "g", 1) == 1);
    int is_whole = victim_is_whole(get());
    int status;
    NEED(waitpid(child, &status, 0) == child && status == 0);
    return verdict(is_whole);
}
