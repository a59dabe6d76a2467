/* A fork in the middle of what other threads allocate: the child has the heap as it was, and collects and grows it. */
#define GC_THREADS
#include "chain.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LENGTH = 2000, FORKS = 20, THREADS = 3 };

static volatile int is_over;

static void *allocate(void *unused) {
    (void)unused;
    while (!is_over)
        judge(build(LENGTH), LENGTH);
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    struct node *head;
    GC_set_handle_fork(1);
    GC_INIT();
    head = build(LENGTH);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, allocate, NULL);
    for (int i = 0; i < FORKS; i++) {
        int status;
        pid_t child = fork();
        CHECK(child >= 0, "fork");
        if (child == 0) {
            GC_start_mark_threads();
            for (int round = 0; round < 20; round++)
                judge(build(LENGTH), LENGTH);
            GC_gcollect();
            judge(head, LENGTH);
            _exit(0);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0, "a child ended with %#x", (unsigned)status);
    }
    is_over = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    judge(head, LENGTH);
    return 0;
}
