/* What a program writes into objects may be executed once it has asked for that. */
#include "check.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Writes a function that returns `number` into an object of so many bytes. */
static void *compile(size_t bytes, int number) {
    static const unsigned char load_and_return[] = {0xb8, 0, 0, 0, 0, 0xc3};
    unsigned char *code = GC_malloc_atomic(bytes);
    memcpy(code, load_and_return, sizeof load_and_return);
    memcpy(code + 1, &number, sizeof number);
    return code;
}

static int call(void *code) {
    int (*function)(void);
    memcpy(&function, &code, sizeof function);
    return function();
}

static void executes(void) {
    static const size_t sizes[] = {16, 100, 3000, 100000, 30 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        CHECK(call(compile(sizes[i], 42 + (int)i)) == 42 + (int)i, "an object of %zu bytes", sizes[i]);
}

/* In a process of its own, which ends by the signal. */
static void traps(void) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        call(compile(100, 7));
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "executed without leave");
}

int main(void) {
    CHECK(GC_get_pages_executable() == 0, "at the start");
    traps();
    GC_set_pages_executable(1);
    CHECK(GC_get_pages_executable() == 1, "asked for");
    GC_INIT();
    executes();
    GC_gcollect();
    executes();
    return 0;
}
