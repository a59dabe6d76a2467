/* A child of a fork has its dead objects shown, as its parent has. */
#include "many.h"
#include <gc_disclaim.h>
#include <sys/wait.h>
#include <unistd.h>

static int shown, is_child;
static unsigned kind;
static pid_t child;

static int GC_CALLBACK see(void *object) {
    if (((void **)object)[2] != (void *)7)
        return 0;
    shown++;
    return 0;
}

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        void **object = GC_malloc_kind(40, kind);
        object[0] = (void *)3;
        object[2] = (void *)7;
    }
}

static void churn(void) {
    for (int i = 0; i < 3; i++) {
        wipe_stack();
        GC_gcollect();
    }
}

int main(void) {
    int status;
    GC_set_handle_fork(1);
    GC_INIT();
    kind = GC_new_kind(GC_new_free_list(), 0 | GC_DS_LENGTH, 1, 1);
    GC_register_disclaim_proc(kind, see, 1);
    elsewhere(make);
    child = fork();
    CHECK(child >= 0, "a child");
    is_child = child == 0;
    churn();
    CHECK(shown >= MANY - FEW && shown <= MANY, "shown once, in %s: %d", is_child ? "the child" : "the parent", shown);
    if (is_child)
        _exit(0);
    CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %d", status);
    return 0;
}
