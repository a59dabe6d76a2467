/* A thread other than the first one forks, and is the only thread of the child. */
#define GC_THREADS
#include "chain.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 40, LENGTH = 1000, GARBAGE = 64 << 20, PIECE = 1000 };

/* Runs `work` in a child of this thread. */
static void in_child(void (*work)(void *), void *data) {
    int status;
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        alarm(100);
        work(data);
        exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0, "a child ended with %#x", (unsigned)status);
}

/* The stack is the thread's yet, and what is said of it is not said of the first thread's. */
static void look_at_stack(void *data) {
    const struct GC_stack_base *before = data;
    struct GC_stack_base base, mine, moved = *before;
    char *first = GC_stackbottom;
    CHECK(GC_get_stack_base(&base) == GC_SUCCESS && base.mem_base == before->mem_base, "another base in the child");
    GC_get_my_stackbottom(&mine);
    CHECK((char *)mine.mem_base > (char *)&mine && (char *)mine.mem_base <= (char *)base.mem_base, "the bottom");
    moved.mem_base = (char *)mine.mem_base - sizeof(void *);
    GC_set_stackbottom(NULL, &moved);
    GC_get_my_stackbottom(&base);
    CHECK(base.mem_base == moved.mem_base, "the bottom that was set");
    CHECK(GC_stackbottom == first, "it is not the first thread's");
    GC_set_stackbottom(NULL, &mine);
    judge(build(LENGTH), LENGTH);
    GC_gcollect();
}

/* Nobody has asked for a collection here, whatever other threads of the parent were at. */
static void only_when_asked(void *unused) {
    GC_word collections = GC_get_gc_no();
    (void)unused;
    for (size_t bytes = 0; bytes < GARBAGE; bytes += PIECE)
        *(char *)GC_malloc(PIECE) = 1;
    CHECK(GC_get_gc_no() == collections, "%lu collections", GC_get_gc_no() - collections);
    GC_gcollect();
    CHECK(GC_get_gc_no() == collections + 1, "none when asked for");
}

static volatile int is_over;

static void *collect(void *unused) {
    (void)unused;
    while (!is_over)
        GC_gcollect();
    return NULL;
}

static void *fork_here(void *unused) {
    struct GC_stack_base base;
    CHECK(GC_get_stack_base(&base) == GC_SUCCESS && (char *)base.mem_base > (char *)&base, "the base of a stack");
    in_child(look_at_stack, &base);
    GC_set_disable_automatic_collection(1);
    for (int i = 0; i < FORKS; i++)
        in_child(only_when_asked, NULL);
    is_over = 1;
    return unused;
}

int main(void) {
    pthread_t collecting, forking;
    GC_set_handle_fork(1);
    GC_INIT();
    CHECK(GC_pthread_create(&collecting, NULL, collect, NULL) == 0, "a thread");
    CHECK(GC_pthread_create(&forking, NULL, fork_here, NULL) == 0, "a thread");
    CHECK(GC_pthread_join(forking, NULL) == 0 && GC_pthread_join(collecting, NULL) == 0, "their ends");
    return 0;
}
