/* Reads hidden objects between faults of its own, which come to its handlers as if nobody stood before them: with
 * information, and once; and what it asks for its handler is what it has set.
 *
 * says: read at #, 16 bytes inside an object of 48 bytes at #, unreachable since collection 1
 * says:   by use_object+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_object+# (PROGRAM+#)
 * says: read at #, 16 bytes inside an object of 48 bytes at #, unreachable since collection 1
 * says:   by use_object+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_object+# (PROGRAM+#)
 * says: read at #, 16 bytes inside an object of 48 bytes at #, unreachable since collection 1
 * says:   by use_object+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_object+# (PROGRAM+#)
 * blind: barred
 */
#include "preload.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

static uintptr_t hidden[3];
static sigjmp_buf before;
static char *closed;

NOINLINE struct victim *make_object(void)
{
    struct victim *victim = malloc(sizeof *victim);
    victim_fill(victim);
    return victim;
}

static void put(void)
{
    for (int i = 0; i < 3; i++)
        hidden[i] = hide(make_object());
}

NOINLINE uint64_t use_object(struct victim *victim)
{
    return victim->word[2];
}

static void on_fault(int number, siginfo_t *information, void *context)
{
    int is_whole = number == SIGSEGV && information->si_addr == closed && context != NULL;
    siglongjmp(before, is_whole ? 1 : 2);
}

static int fault(void)
{
    int how = sigsetjmp(before, 1);
    if (how == 0)
        *(volatile char *)closed = 1;
    return how;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, old;
    closed = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(closed != MAP_FAILED && sigaction(SIGSEGV, &action, &old) == 0);
    run(put);
    churn();
    printf("default before: %d\n", old.sa_handler == SIG_DFL);
    printf("own fault: %d\n", fault());
    printf("hidden: %d\n", use_object(reveal(hidden[0])) == victim_word(2));
    printf("own fault: %d\n", fault());
    NEED(sigaction(SIGSEGV, NULL, &old) == 0);
    printf("what is asked: %d\n", old.sa_sigaction == on_fault && (old.sa_flags & (SA_SIGINFO | SA_ONSTACK)) == SA_SIGINFO);

    action.sa_flags |= SA_RESETHAND;
    NEED(sigaction(SIGSEGV, &action, NULL) == 0);
    printf("hidden: %d\n", use_object(reveal(hidden[1])) == victim_word(2));
    printf("own fault: %d\n", fault());
    fflush(stdout);
    /* From here on there is no handler any more. */
    NEED(sigaction(SIGSEGV, NULL, &old) == 0);
    printf("once: %d\n", old.sa_handler == SIG_DFL);
    NEED(signal(SIGSEGV, SIG_IGN) == SIG_DFL && signal(SIGSEGV, SIG_DFL) == SIG_IGN);
    printf("hidden: %d\n", use_object(reveal(hidden[2])) == victim_word(2));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        *(volatile char *)closed = 1;
        _exit(0);
    }
    int status;
    NEED(waitpid(child, &status, 0) == child);
    printf("the child's fault: %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    child = fork();
    if (child == 0) {
        kill(getpid(), SIGSEGV);
        _exit(0);
    }
    NEED(waitpid(child, &status, 0) == child);
    printf("the child's signal: %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    return 0;
}
