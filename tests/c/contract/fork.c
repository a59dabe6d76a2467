/* After fork the child has the whole heap, and may use and collect it while other threads allocate in the parent. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

enum { CHILDREN = 20, LENGTH = 10000 };

struct node {
    struct node *next;
    size_t number;
};

static struct node *list;
static int done;

static void build(void)
{
    size_t i;
    for (i = 0; i < LENGTH; i++) {
        struct node *node = gc_malloc(sizeof *node);
        node->next = list;
        node->number = i;
        list = node;
    }
}

static void check_list(void)
{
    size_t i = LENGTH;
    const struct node *node;
    for (node = list; node != NULL; node = node->next)
        CHECK(node->number == --i, "process %d: node %zu says %zu", (int)getpid(), i, node->number);
    CHECK(i == 0, "process %d: %zu nodes are missing", (int)getpid(), i);
}

static void garbage(void)
{
    int i;
    for (i = 0; i < 100000; i++)
        use(gc_malloc(64));
}

static void *busy(void *argument)
{
    while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
        garbage();
    return argument;
}

int main(void)
{
    pthread_t thread;
    int i, status;
    run(build);
    CHECK(pthread_create(&thread, NULL, busy, NULL) == 0, "no thread");
    for (i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        CHECK(child >= 0, "fork: %s", strerror(errno));
        if (child == 0) {
            garbage();
            gc_collect();
            check_list();
            _exit(0);
        }
        CHECK(waitpid(child, &status, 0) == child, "waitpid: %s", strerror(errno));
        CHECK(status == 0, "child %d ended with status %#x", i, (unsigned)status);
        gc_collect();
        check_list();
    }
    __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
    CHECK(pthread_join(thread, NULL) == 0, "join");
    return 0;
}
