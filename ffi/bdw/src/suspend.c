/* Threads that the program suspends one by one: each waits in a signal handler until it is told to go on.
 *
 * For the collector such a thread is as any other: it is stopped there by the stop signal, which the handler lets in, and
 * what it had in registers lies on its stack.  But nobody is suspended who holds something that a collection needs: not
 * inside its gate, and not with the loader's lock, which the one that suspends has meanwhile.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* bdwgc's signal to go on, which programs leave alone. */
enum { SIGNAL = SIGXCPU };
/* A thread that was over when it was to be suspended, and has not been joined, has ENDED: it counts as suspended until the
 * program says that it may go on. */
enum { RUNS, IS_WANTED, STANDS, ENDED };
enum { PATIENCE_S = 10 };

/* A thread that has been suspended once.  Never given back. */
struct thread {
    pthread_t id;
    _Atomic(unsigned) state;
    struct thread *next;
};

/* Of `edge.c`: how many threads have been created that have no record yet. */
extern _Atomic(unsigned) gleaner_bdw_threads_starting;

/* The Rust side.  What was known is about to end, or has. */
enum { IS_UNKNOWN, IS_KNOWN, WAS_KNOWN };
int gleaner_bdw_is_thread_known(uintptr_t id);
int gleaner_bdw_may_stand(void);
__attribute__((noreturn)) void gleaner_bdw_die(const char *message);

static _Atomic(struct thread *) threads;
static pthread_mutex_t suspending = PTHREAD_MUTEX_INITIALIZER;

/* In the child of a fork: threads that were suspending others, or about to begin, are no more. */
void gleaner_bdw_forget_other_threads(void) {
    pthread_mutex_init(&suspending, NULL);
    atomic_store(&gleaner_bdw_threads_starting, 0);
}

static struct thread *find(pthread_t id) {
    struct thread *thread = atomic_load(&threads);
    while (thread != NULL && !pthread_equal(thread->id, id))
        thread = thread->next;
    return thread;
}

static void sleep_while(_Atomic(unsigned) *state, unsigned value, const struct timespec *limit) {
    syscall(SYS_futex, state, FUTEX_WAIT_PRIVATE, value, limit, NULL, 0);
}

static void wake(struct thread *thread) {
    syscall(SYS_futex, &thread->state, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Who may not stand here now is asked again. */
static void stand(int signal) {
    int error = errno;
    unsigned wanted = IS_WANTED;
    struct thread *thread = find(pthread_self());
    (void)signal;
    if (thread != NULL && gleaner_bdw_may_stand() && atomic_compare_exchange_strong(&thread->state, &wanted, STANDS)) {
        wake(thread);
        while (atomic_load(&thread->state) == STANDS)
            sleep_while(&thread->state, STANDS, NULL);
    }
    errno = error;
}

static void install(void) {
    struct sigaction action = {.sa_handler = stand, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGNAL, &action, NULL);
}

static time_t seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* Whether a thread's control block is there yet: that of one that has been joined or detached may not be. */
static int has_block(pthread_t id) {
    uintptr_t page = (uintptr_t)id & -(uintptr_t)sysconf(_SC_PAGESIZE);
    return msync((void *)page, 1, MS_ASYNC) == 0;
}

/* Whether a thread is over: the C library has no clock for such a one. */
static int has_ended(pthread_t id) {
    clockid_t clock;
    return !has_block(id) || pthread_getcpuclockid(id, &clock) == ESRCH;
}

/* Whether a thread uses the heap, or is over.  One that has just been created, or is about to end, is waited for. */
static int is_over_or_known(pthread_t id) {
    static const struct timespec a_while = {0, 100000};
    time_t deadline = seconds() + PATIENCE_S;
    for (;;) {
        unsigned starting = atomic_load(&gleaner_bdw_threads_starting);
        int known = gleaner_bdw_is_thread_known((uintptr_t)id);
        if (known == IS_KNOWN || has_ended(id))
            return has_block(id);
        if ((known == IS_UNKNOWN && starting == 0) || seconds() > deadline)
            return 0;
        sleep_while(&gleaner_bdw_threads_starting, starting, &a_while);
    }
}

/* With the loader's lock, unless the thread is the caller. */
static int ask(struct dl_phdr_info *unused, size_t size, void *data) {
    static const struct timespec a_while = {0, 1000000};
    struct thread *thread = data;
    time_t deadline = seconds() + PATIENCE_S;
    (void)unused, (void)size;
    while (atomic_load(&thread->state) == IS_WANTED) {
        if (has_ended(thread->id)) {
            atomic_store(&thread->state, ENDED);
            break;
        }
        /* One that is about to end takes no signal. */
        pthread_kill(thread->id, SIGNAL);
        if (seconds() > deadline)
            gleaner_bdw_die("GC_suspend_thread: the thread does not take the signal: it must not block SIGXCPU");
        sleep_while(&thread->state, IS_WANTED, &a_while);
    }
    return 1;
}

int gleaner_bdw_is_thread_suspended(void *id);

/* The record of a thread that is to be suspended.  NULL: it is already, or is no thread of ours. */
static struct thread *want(pthread_t id) {
    struct thread *thread = find(id);
    if (!is_over_or_known(id) || gleaner_bdw_is_thread_suspended((void *)id))
        return NULL;
    if (thread == NULL) {
        thread = calloc(1, sizeof *thread);
        if (thread == NULL)
            gleaner_bdw_die("GC_suspend_thread: no memory for the thread's record");
        thread->id = id;
        thread->next = atomic_load(&threads);
        atomic_store(&threads, thread);
    }
    install();
    atomic_store(&thread->state, IS_WANTED);
    return thread;
}

void gleaner_bdw_suspend_thread(void *id) {
    struct thread *thread;
    int is_caller = pthread_equal((pthread_t)id, pthread_self());
    pthread_mutex_lock(&suspending);
    thread = want((pthread_t)id);
    if (thread != NULL && !is_caller)
        dl_iterate_phdr(ask, thread);
    pthread_mutex_unlock(&suspending);
    if (thread != NULL && is_caller)
        ask(NULL, 0, thread);
}

void gleaner_bdw_resume_thread(void *id) {
    struct thread *thread = find((pthread_t)id);
    if (thread != NULL) {
        atomic_store(&thread->state, RUNS);
        wake(thread);
    }
}

int gleaner_bdw_is_thread_suspended(void *id) {
    struct thread *thread = find((pthread_t)id);
    unsigned state = thread != NULL ? atomic_load(&thread->state) : RUNS;
    /* Another thread may have the control block by now. */
    return state == ENDED ? has_ended((pthread_t)id) : state != RUNS;
}
