/* Threads that wait in the C library while others collect. They are not woken; what only their registers hold survives;
 * and however such a call is left, by a handler that returns, jumps or was set past the C library, or by a cancellation,
 * what runs next stands still while the world is stopped.
 *
 * A trace procedure runs while the world stands still. It watches a counter that the thread under test raises all the
 * time: the counter must not move.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include "family.h"
#include "gleaner.h"

enum { REGISTERS = 5, BYTES = 48, ENOUGH = 3000, CYCLES = 2, QUIET_MS = 2, KEY = 0x5a5a5a5a };

/* ---- The calls: each waits for ever ---- */

static int empty[2], sockets[2], listening, epoll_set, queue;
static sem_t never;
static pthread_barrier_t barrier;
static pid_t child;
static const struct timespec long_time = { 100000, 0 }, far_end = { 4000000000, 0 };
static char byte;
static struct iovec vector = { &byte, 1 };
static uint32_t word;

static void by_read(void) { (void)!read(empty[0], &byte, 1); }
static void by_readv(void) { (void)!readv(empty[0], &vector, 1); }
static void by_recv(void) { recv(sockets[0], &byte, 1, 0); }
static void by_recvfrom(void) { recvfrom(sockets[0], &byte, 1, 0, NULL, NULL); }
static void by_recvmsg(void) { recvmsg(sockets[0], &(struct msghdr){ .msg_iov = &vector, .msg_iovlen = 1 }, 0); }
static void by_accept(void) { accept(listening, NULL, NULL); }
static void by_poll(void) { poll(NULL, 0, -1); }
static void by_ppoll(void) { ppoll(NULL, 0, NULL, NULL); }
static void by_select(void) { select(0, NULL, NULL, NULL, NULL); }
static void by_pselect(void) { pselect(0, NULL, NULL, NULL, NULL, NULL); }
static void by_epoll_wait(void) { struct epoll_event e; epoll_wait(epoll_set, &e, 1, -1); }
static void by_epoll_pwait(void) { struct epoll_event e; epoll_pwait(epoll_set, &e, 1, -1, NULL); }
static void by_nanosleep(void) { nanosleep(&long_time, NULL); }
static void by_clock_nanosleep(void) { clock_nanosleep(CLOCK_MONOTONIC, 0, &long_time, NULL); }
static void by_sleep(void) { sleep(100000); }
static void by_usleep(void) { usleep(1000000000); }
static void by_thrd_sleep(void) { thrd_sleep(&long_time, NULL); }
static void by_pause(void) { pause(); }
static void by_sigsuspend(void) { sigset_t set; sigemptyset(&set); sigsuspend(&set); }
static void by_sem_wait(void) { sem_wait(&never); }
static void by_sem_timedwait(void) { sem_timedwait(&never, &far_end); }
static void by_waitpid(void) { waitpid(child, NULL, 0); }
static void by_msgrcv(void) { struct { long kind; char text[8]; } m; msgrcv(queue, &m, 8, 0, 0); }
static void by_barrier(void) { pthread_barrier_wait(&barrier); }
static void by_futex(void) { syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0); }

static void by_sigwaitinfo(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigwaitinfo(&set, NULL);
}

/* On the heap: a thread that is cancelled or jumps away never comes back to them. */
static void by_cond_wait(void)
{
    pthread_mutex_t *lock = calloc(1, sizeof *lock);
    pthread_cond_t *cond = calloc(1, sizeof *cond);
    pthread_mutex_lock(lock);
    for (;;)
        pthread_cond_wait(cond, lock);
}

static void by_cond_timedwait(void)
{
    pthread_mutex_t *lock = calloc(1, sizeof *lock);
    pthread_cond_t *cond = calloc(1, sizeof *cond);
    pthread_mutex_lock(lock);
    for (;;)
        pthread_cond_timedwait(cond, lock, &far_end);
}

static void by_cnd_wait(void)
{
    mtx_t *lock = calloc(1, sizeof *lock);
    cnd_t *cond = calloc(1, sizeof *cond);
    mtx_init(lock, mtx_plain);
    cnd_init(cond);
    mtx_lock(lock);
    for (;;)
        cnd_wait(cond, lock);
}

static const struct call {
    const char *name;
    void (*wait)(void);
    int is_cancelled;
} calls[] = {
    { "read", by_read, 1 }, { "readv", by_readv, 1 }, { "recv", by_recv, 1 },
    { "recvfrom", by_recvfrom, 1 }, { "recvmsg", by_recvmsg, 1 }, { "accept", by_accept, 1 }, { "poll", by_poll, 1 },
    { "ppoll", by_ppoll, 1 }, { "select", by_select, 1 }, { "pselect", by_pselect, 1 },
    { "epoll_wait", by_epoll_wait, 1 }, { "epoll_pwait", by_epoll_pwait, 1 }, { "nanosleep", by_nanosleep, 1 },
    { "clock_nanosleep", by_clock_nanosleep, 1 }, { "sleep", by_sleep, 1 }, { "usleep", by_usleep, 1 },
    { "thrd_sleep", by_thrd_sleep, 1 }, { "pause", by_pause, 1 }, { "sigsuspend", by_sigsuspend, 1 },
    { "sem_wait", by_sem_wait, 1 }, { "sem_timedwait", by_sem_timedwait, 1 }, { "waitpid", by_waitpid, 1 },
    { "msgrcv", by_msgrcv, 1 }, { "barrier_wait", by_barrier, 0 }, { "futex", by_futex, 0 },
    { "sigwaitinfo", by_sigwaitinfo, 1 }, { "cond_wait", by_cond_wait, 1 },
    { "cond_timedwait", by_cond_timedwait, 1 }, { "cnd_wait", by_cnd_wait, 1 },
};

/* ---- Watching ---- */

static volatile unsigned long counter;
static volatile int counting, finished, moved, watched;
/* Whom to send SIGUSR2 while the world is stopped. */
static pthread_t *volatile target;

static long now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

static void watch(void *object, size_t size, gc_tracer *tracer)
{
    unsigned long before = counter;
    long end = now_us() + QUIET_MS * 1000;
    (void)object, (void)size, (void)tracer;
    if (target != NULL)
        pthread_kill(*target, SIGUSR2);
    target = NULL;
    while (counter == before && now_us() < end) {
    }
    moved += counter != before;
    watched++;
}

/* Counts until the watcher has seen enough. Calls nothing: a region that is still open stays so. */
static void count(void)
{
    finished = 0;
    counting = 1;
    while (!finished)
        counter++;
    counting = 0;
}

static void collect_beside(const char *name, const char *what)
{
    while (!counting)
        sched_yield();
    moved = watched = 0;
    for (int i = 0; i < CYCLES; i++)
        gc_collect();
    finished = 1;
    while (counting)
        sched_yield();
    CHECK(watched == CYCLES, "%s, %s: %d of %d collections", name, what, watched, CYCLES);
    CHECK(moved == 0, "%s, %s: ran while the world was stopped", name, what);
}

/* The same with a signal that arrives while the world is stopped: its handler begins afterwards. */
static void interrupt_stopped(const char *name, pthread_t *thread)
{
    moved = watched = 0;
    target = thread;
    gc_collect();
    CHECK(watched == 1 && target == NULL, "%s: no signal was sent", name);
    CHECK(moved == 0, "%s: a handler ran while the world was stopped", name);
    while (!counting)
        sched_yield();
    finished = 1;
    while (counting)
        sched_yield();
}

/* ---- The thread under test ---- */

enum way { BY_CANCELLATION, BY_JUMP };

static const struct call *call;
static enum way way;
static volatile pid_t waiter;
static sigjmp_buf out;
/* The addresses of objects, so that nobody sees that they are any. */
static uintptr_t hidden[REGISTERS];

static void *make_objects(void *unused)
{
    (void)unused;
    for (int i = 0; i < REGISTERS; i++) {
        char *object = malloc(BYTES);
        memset(object, 'a' + i, BYTES);
        hidden[i] = (uintptr_t)object ^ KEY;
    }
    return NULL;
}

static void check_objects(void)
{
    for (int i = 0; i < REGISTERS; i++)
        CHECK(is_all((char *)(hidden[i] ^ KEY), 'a' + i, BYTES), "%s: the object in register %d was lost", call->name, i);
}

static void __attribute__((noinline)) begin_waiting(void)
{
    waiter = (pid_t)syscall(SYS_gettid);
}

/* Makes the call with the objects' addresses in the registers that a call keeps, and nowhere else. */
static void __attribute__((noinline)) wait_with_registers(void)
{
    begin_waiting();
    __asm__ volatile("mov (%[hidden]), %%rbx\n\t"
                     "mov 8(%[hidden]), %%r12\n\t"
                     "mov 16(%[hidden]), %%r13\n\t"
                     "mov 24(%[hidden]), %%r14\n\t"
                     "mov 32(%[hidden]), %%r15\n\t"
                     "xor %[key], %%rbx\n\t"
                     "xor %[key], %%r12\n\t"
                     "xor %[key], %%r13\n\t"
                     "xor %[key], %%r14\n\t"
                     "xor %[key], %%r15\n\t"
                     "1: mov %[call], %%rax\n\t"
                     "call *8(%%rax)\n\t"
                     "jmp 1b\n\t"
                     :
                     : [hidden] "r"(hidden), [call] "m"(call), [key] "i"(KEY)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
                       "memory", "cc");
}

static void count_at_the_end(void *unused)
{
    (void)unused;
    count();
}

static void wait_until_cancelled(void)
{
    pthread_cleanup_push(count_at_the_end, NULL);
    wait_with_registers();
    pthread_cleanup_pop(0);
}

static void *wait_for_ever(void *unused)
{
    (void)unused;
    if (way == BY_CANCELLATION)
        wait_until_cancelled();
    else if (sigsetjmp(out, 1) == 0)
        wait_with_registers();
    count();
    return NULL;
}

static void on_count(int number)
{
    (void)number;
    count();
}

static void on_allocate(int number)
{
    int error = errno;
    (void)number;
    free(malloc(1000));
    count();
    errno = error;
}

static void on_jump(int number)
{
    (void)number;
    siglongjmp(out, 1);
}

/* ---- The test ---- */

/* The first line of a file of the kernel's about the waiting thread that begins with `label`. */
static void ask(const char *file, const char *label, char *line, int room)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int)waiter, file);
    FILE *stream = fopen(path, "r");
    CHECK(stream != NULL, "%s", path);
    do
        CHECK(fgets(line, room, stream) != NULL, "%s: no %s", path, label);
    while (strncmp(line, label, strlen(label)) != 0);
    fclose(stream);
}

/* How often the thread has gone to sleep. */
static unsigned long sleeps(void)
{
    static const char label[] = "voluntary_ctxt_switches:";
    char line[256];
    ask("status", label, line, sizeof line);
    return strtoul(line + strlen(label), NULL, 10);
}

/* Waits until the thread is in a system call and has no processor. */
static void until_asleep(void)
{
    char line[256] = "running";
    while (line[0] < '0' || line[0] > '9') {
        sched_yield();
        if (waiter != 0)
            ask("syscall", "", line, sizeof line);
    }
}

static void collect_all(void)
{
    for (int i = 0; i < CYCLES; i++) {
        gc_collect();
        for (int k = 0; k < ENOUGH; k++)
            memset(malloc(BYTES), 'z', BYTES);
    }
}

static void test_call(enum way chosen)
{
    pthread_t thread;
    unsigned long before;
    way = chosen;
    waiter = 0;
    CHECK(pthread_create(&thread, NULL, make_objects, NULL) == 0, "no thread");
    CHECK(pthread_join(thread, NULL) == 0, "join");
    CHECK(pthread_create(&thread, NULL, wait_for_ever, NULL) == 0, "no thread");
    until_asleep();
    before = sleeps();
    collect_all();
    CHECK(before == sleeps(), "%s: woken by a collection", call->name);

    CHECK(pthread_kill(thread, SIGUSR2) == 0, "kill");
    collect_beside(call->name, "a handler");
    until_asleep();
    CHECK(pthread_kill(thread, SIGRTMIN) == 0, "kill");
    collect_beside(call->name, "a handler that allocates");
    until_asleep();
    interrupt_stopped(call->name, &thread);
    until_asleep();
    collect_all();
    check_objects();

    if (way == BY_JUMP)
        CHECK(pthread_kill(thread, SIGUSR1) == 0, "kill");
    else
        CHECK(pthread_cancel(thread) == 0, "cancel");
    collect_beside(call->name, way == BY_JUMP ? "behind a jump" : "in a cleanup handler");
    CHECK(pthread_join(thread, NULL) == 0, "join");
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART }, old;
    CHECK(sigaction(number, &action, NULL) == 0, "sigaction");
    CHECK(sigaction(number, NULL, &old) == 0 && old.sa_handler == handler, "sigaction reports another handler");
    CHECK(signal(number, handler) == handler && signal(number, handler) == handler, "signal reports another handler");
    CHECK(signal(number, SIG_IGN) == handler && signal(number, handler) == SIG_IGN, "signal reports another handler");
}

/* Reads into an object whose address is in the argument, and nowhere else. */
static void *read_into_object(void *unused)
{
    begin_waiting();
    __asm__ volatile("mov (%[hidden]), %%rsi\n\t"
                     "xor %[key], %%rsi\n\t"
                     "mov $1, %%edx\n\t"
                     "xor %%eax, %%eax\n\t"
                     "call *%[read]\n\t"
                     :
                     : [hidden] "b"(hidden), [read] "r"(read), "D"(empty[0]), [key] "i"(KEY)
                     : "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
    return unused;
}

static void test_argument(void)
{
    pthread_t thread;
    waiter = 0;
    CHECK(pthread_create(&thread, NULL, make_objects, NULL) == 0, "no thread");
    CHECK(pthread_join(thread, NULL) == 0, "join");
    CHECK(pthread_create(&thread, NULL, read_into_object, NULL) == 0, "no thread");
    until_asleep();
    collect_all();
    CHECK(is_all((char *)(hidden[0] ^ KEY), 'a', BYTES), "read: the object that it reads into was lost");
    CHECK(write(empty[1], "a", 1) == 1 && pthread_join(thread, NULL) == 0, "read: it goes on waiting");
}

static int set_by_system_call(int number, const void *new, void *old)
{
    long result;
    register long bytes __asm__("r10") = 8;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_rt_sigaction), "D"(number), "S"(new), "d"(old), "r"(bytes)
                     : "rcx", "r11", "memory");
    return (int)result;
}

/* A handler that the kernel has from somebody else than the C library. */
static void test_handler_set_by_system_call(void)
{
    struct {
        void (*handler)(int);
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } action;
    pthread_t thread;
    CHECK(set_by_system_call(SIGUSR2, NULL, &action) == 0, "rt_sigaction");
    CHECK(action.handler != on_count, "handlers are called directly");
    action.handler = on_count;
    CHECK(set_by_system_call(SIGUSR2, &action, NULL) == 0, "rt_sigaction");
    call = &calls[0];
    way = BY_CANCELLATION;
    waiter = 0;
    CHECK(pthread_create(&thread, NULL, wait_for_ever, NULL) == 0, "no thread");
    until_asleep();
    CHECK(pthread_kill(thread, SIGUSR2) == 0, "kill");
    collect_beside(call->name, "a handler set by a system call");
    CHECK(pthread_cancel(thread) == 0, "cancel");
    collect_beside(call->name, "in a cleanup handler");
    CHECK(pthread_join(thread, NULL) == 0, "join");
}

/* A handler that was set past the C library, and calls the one that it found. */
static void (*found)(int);
static struct sigaction replaced;
static int first_runs, second_runs;

static void on_first(int number)
{
    (void)number;
    first_runs++;
}

static void on_between(int number)
{
    found(number);
}

static void on_second(int number)
{
    CHECK(++second_runs == 1, "handlers call each other in a circle");
    replaced.sa_handler(number);
}

static void test_chain_of_handlers(void)
{
    struct {
        void (*handler)(int);
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } action;
    CHECK(set_by_system_call(SIGHUP, NULL, &action) == 0, "rt_sigaction");
    CHECK(action.handler != on_first, "handlers are called directly");
    found = action.handler;
    action.handler = on_between;
    CHECK(set_by_system_call(SIGHUP, &action, NULL) == 0, "rt_sigaction");
    CHECK(sigaction(SIGHUP, &(struct sigaction){ .sa_handler = on_second }, &replaced) == 0, "sigaction");
    CHECK(raise(SIGHUP) == 0, "raise");
    CHECK(first_runs == 1, "the first handler ran %d times", first_runs);
}

static void prepare(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    CHECK(pipe(empty) == 0, "pipe");
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0, "socketpair");
    listening = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(listening, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0 && listen(listening, 1) == 0, "listen");
    epoll_set = epoll_create1(0);
    queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    sem_init(&never, 0, 0);
    pthread_barrier_init(&barrier, NULL, 2);
    child = fork();
    while (child == 0)
        pause();
}

int main(void)
{
    prepare();
    handle(SIGUSR1, on_jump);
    handle(SIGUSR2, on_count);
    handle(SIGRTMIN, on_allocate);
    handle(SIGHUP, on_first);
    void *volatile watcher = gc_malloc_kind(16, gc_kind_new(watch));
    CHECK(watcher != NULL, "no object");
    for (call = calls; call < calls + sizeof calls / sizeof *calls; call++) {
        if (call->is_cancelled)
            test_call(BY_CANCELLATION);
        test_call(BY_JUMP);
    }
    test_argument();
    test_handler_set_by_system_call();
    test_chain_of_handlers();
    msgctl(queue, IPC_RMID, NULL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CHECK(stats().stops_abandoned == 0, "a stop was abandoned");
    return 0;
}
