/* A thread in GC_do_blocking whose signal handler allocates while the world is stopped waits, further down on its stack: what
 * the handler has put there keeps nothing for one look of the collector that it does not keep for the next. */
#define GC_THREADS
#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OBJECTS = 64, TRIES = 1000000 };

static GC_word hidden[OBJECTS];
static volatile int has_begun, is_armed, is_in_handler, is_over;
static volatile pid_t sleeper;
static void *volatile allocated;

static void handle(int number) {
    (void)number;
    void *volatile words[OBJECTS];
    for (int i = 0; i < OBJECTS; i++)
        words[i] = SEEN(hidden[i]);
    is_in_handler = 1;
    allocated = GC_malloc(16);
    for (int i = 0; i < OBJECTS; i++)
        CHECK(words[i] == SEEN(hidden[i]), "word %d", i);
    is_over = 1;
}

static void *wait_for_signal(void *unused) {
    sleeper = (pid_t)syscall(SYS_gettid);
    has_begun = 1;
    while (!is_over)
        usleep(1000);
    return unused;
}

static void *run(void *unused) {
    return GC_do_blocking(wait_for_signal, unused);
}

/* Whether the thread sleeps in the kernel. */
static int sleeps(const char *path) {
    char text[256];
    int file = open(path, O_RDONLY);
    ssize_t bytes = file < 0 ? -1 : read(file, text, sizeof text - 1);
    close(file);
    CHECK(bytes > 0, "%s cannot be read", path);
    text[bytes] = 0;
    const char *end = strrchr(text, ')');
    return end != NULL && end[2] == 'S';
}

/* The world is stopped, and the stacks have been looked at once. */
static void push(void) {
    if (!is_armed)
        return;
    is_armed = 0;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", sleeper);
    syscall(SYS_tgkill, getpid(), sleeper, SIGUSR1);
    for (int tries = 0; !is_in_handler || !sleeps(path); tries++) {
        CHECK(tries < TRIES, "the handler does not wait for the collection");
        usleep(10);
    }
    CHECK(allocated == NULL, "the handler has allocated while the world was stopped");
}

__attribute__((noinline)) static void hide_objects(void) {
    for (int i = 0; i < OBJECTS; i++)
        hidden[i] = HIDDEN(GC_malloc_atomic(32));
}

int main(void) {
    GC_INIT();
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handle;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0, "a handler");
    GC_set_push_other_roots(push);
    hide_objects();
    wipe_stack();
    pthread_t thread;
    CHECK(GC_pthread_create(&thread, NULL, run, NULL) == 0, "a thread");
    while (!has_begun)
        usleep(100);
    is_armed = 1;
    GC_gcollect();
    CHECK(GC_pthread_join(thread, NULL) == 0, "its end");
    CHECK(is_over && GC_base(allocated) == allocated, "the handler goes on, and has its object");
    return 0;
}
