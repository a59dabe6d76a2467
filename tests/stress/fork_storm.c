/*
 * A thread with a million live objects forks 200 times while others allocate, free and collect. Each child finds the
 * heap whole, allocates, collects twice, checks everything again, and exits through exit(3).
 *
 * Shows: fork in the midst of other threads' slow paths leaves the child no closed gate and no lock, only its
 *        own stack and the one heap; parent and child lose no object.
 *
 *     fork_storm [--objects N] [--forks N]
 */
#include "door.h"

#include <stdatomic.h>
#include <sys/wait.h>

enum { BESIDE = 3, CHAINS = 64, CHILD_CELLS = 20000, DEADLINE_SECONDS = 120, FORK_SECONDS = 90, CHILD_SECONDS = 60 };

static unsigned long objects, forks;
static struct cell *kept[CHAINS];
static atomic_int finished;

/* Chain c has the seed c: the parent's threads never change these chains after they are built. */
static uint64_t chain_length(void) { return objects / CHAINS; }

static void kept_check(const char *where)
{
    for (uint64_t c = 0; c < CHAINS; c++)
        chain_check(kept[c], c, chain_length(), where);
}

static void child(unsigned long number)
{
    deadline(CHILD_SECONDS);
    struct cell *first = chain_new(1000 + number, CHILD_CELLS);
    door_collect();
    kept_check("child, after its first collection");
    struct cell *second = chain_new(2000 + number, CHILD_CELLS);
    chain_free(chain_new(3000 + number, CHILD_CELLS));
    door_collect();
    chain_check(first, 1000 + number, CHILD_CELLS, "child, its own first chain");
    chain_check(second, 2000 + number, CHILD_CELLS, "child, its own second chain");
    kept_check("child, after its second collection");
    exit(0);
}

static void *fork_often(void *data)
{
    for (unsigned long number = 0; number < forks; number++) {
        int status;
        deadline(FORK_SECONDS);             /* a child that hangs in fork itself has no deadline of its own */
        pid_t pid = fork();
        if (pid < 0)
            die("fork %lu: %s", number, strerror(errno));
        if (pid == 0)
            child(number);
        if (waitpid(pid, &status, 0) != pid)
            die("waitpid: %s", strerror(errno));
        if (WIFSIGNALED(status))
            die("child %lu of %lu died of signal %d (%s)", number, forks, WTERMSIG(status),
                strsignal(WTERMSIG(status)));
        if (WEXITSTATUS(status) != 0)
            die("child %lu of %lu exited with %d", number, forks, WEXITSTATUS(status));
    }
    deadline(DEADLINE_SECONDS);
    atomic_store(&finished, 1);
    return data;
}

/* Keeps every slow path busy: refills and flushes of many classes, large objects, collections. */
static void *work_beside(void *data)
{
    uint64_t seed = 10000 + (uint64_t)(uintptr_t)data, rounds = 0;
    struct cell *mine = chain_new(seed, 1000);
    for (; !atomic_load(&finished); rounds++) {
        struct cell *replacement = chain_new(seed, 1000);
        chain_check(mine, seed, 1000, "thread beside the forks");
        if (rounds % 2 == 0)
            chain_free(mine);
        mine = replacement;
        door_free(door_new(400000 + rounds % 7 * 100000));
        if (rounds % 16 == 0)
            door_collect();
    }
    return (void *)(uintptr_t)rounds;
}

int main(int argc, char **argv)
{
    pthread_t forking, beside[BESIDE];
    uintptr_t rounds = 0;
    deadline(DEADLINE_SECONDS);
    objects = argument(argc, argv, "--objects", 1000000);
    forks = argument(argc, argv, "--forks", 200);
    double started = now_s();
    for (uint64_t c = 0; c < CHAINS; c++)
        kept[c] = chain_new(c, chain_length());
    forking = thread_start(fork_often, NULL);
    for (uintptr_t i = 0; i < BESIDE; i++)
        beside[i] = thread_start(work_beside, (void *)i);
    thread_join(forking);
    for (int i = 0; i < BESIDE; i++)
        rounds += (uintptr_t)thread_join(beside[i]);
    kept_check("parent, at the end");
    if (rounds == 0)
        die("the threads beside the forks did nothing");
    printf("fork_storm: door=%s objects=%lu forks=%lu rounds_beside=%lu seconds=%.1f collections=%lu\n", DOOR, objects,
           forks, (unsigned long)rounds, now_s() - started, door_collections());
    return 0;
}
