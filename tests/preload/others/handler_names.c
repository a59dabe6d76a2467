/* Handlers that are set under each of the names that the C library has for it. A thread that waits in read is left alone by
 * collections all the same: it is not woken once.
 */
#include "preload.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

typedef void (*handler)(int);
/* Not declared any more. */
handler bsd_signal(int, handler);
handler ssignal(int, handler);
handler sysv_signal(int, handler);
handler by_sigset(int, handler) __asm__("sigset");
int __sigaction(int, const struct sigaction *, struct sigaction *);

static handler by_sigaction(int number, handler next)
{
    struct sigaction action = {.sa_handler = next}, former;
    return __sigaction(number, &action, &former) == 0 ? former.sa_handler : SIG_ERR;
}

static const struct {
    const char *name;
    handler (*set)(int, handler);
} setters[] = {
    {"signal", signal}, {"bsd_signal", bsd_signal}, {"ssignal", ssignal}, {"sysv_signal", sysv_signal}, {"sigset", by_sigset},
    {"__sigaction", by_sigaction},
};

static volatile sig_atomic_t handled;

static void handle(int number)
{
    handled += number == SIGUSR1;
}

static int ends[2];
static volatile pid_t waiter_id;

static void *waiter(void *unused)
{
    char byte;
    waiter_id = gettid();
    NEED(read(ends[0], &byte, 1) == 1);
    return unused;
}

/* What the kernel's file of the waiting thread says under a name, or its state. */
static long from_file(const char *file, const char *name)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int)waiter_id, file);
    FILE *stream = fopen(path, "r");
    long value = -1;
    NEED(stream != NULL);
    while (fgets(line, sizeof line, stream) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            value = strcmp(name, "State:\t") == 0 ? line[strlen(name)] : atol(line + strlen(name));
    fclose(stream);
    return value;
}

static int is_left_alone(handler (*set)(int, handler))
{
    pthread_t thread;
    NEED(pipe(ends) == 0);
    /* A name that is not known would be noticed at the first collection. */
    NEED(set(SIGUSR1, handle) == SIG_DFL && raise(SIGUSR1) == 0 && handled == 1);
    NEED(set(SIGUSR1, SIG_IGN) == handle || set == sysv_signal);
    NEED(set(SIGUSR1, handle) != SIG_ERR);
    NEED((errno = pthread_create(&thread, NULL, waiter, NULL)) == 0);
    while (waiter_id == 0 || from_file("status", "State:\t") != 'S')
        sched_yield();
    malloc_trim(0);
    while (from_file("status", "State:\t") != 'S')
        sched_yield();
    long before = from_file("status", "voluntary_ctxt_switches:");
    for (int i = 0; i < 10; i++)
        malloc_trim(0);
    long after = from_file("status", "voluntary_ctxt_switches:");
    NEED(write(ends[1], "", 1) == 1);
    pthread_join(thread, NULL);
    return before >= 0 && before == after;
}

int main(void)
{
    for (size_t i = 0; i < sizeof setters / sizeof setters[0]; i++) {
        pid_t process = fork();
        NEED(process >= 0);
        if (process == 0)
            _exit(!is_left_alone(setters[i].set));
        int status;
        NEED(waitpid(process, &status, 0) == process && WIFEXITED(status));
        printf("%s: %s\n", setters[i].name, status == 0 ? "left alone" : "woken");
        fflush(stdout);
    }
    return 0;
}
