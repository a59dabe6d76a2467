/* main.c: the command.
 *
 *     interp [--threads N] [--heap-limit MEGABYTES] [FILE ...]
 *
 * Runs the files one after another, or, without one, reads forms and prints their values. With several threads each
 * has an interpreter of its own and runs all of it; what they write is compared, and printed once.
 */
#define _GNU_SOURCE
#include "memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Thread_local struct interp me;

/* The texts that each interpreter reads when it starts; a 0 ends each. */
extern const char prelude[], library[];
__asm__(".section .rodata\n.globl prelude, library\n"
        "prelude: .incbin \"prelude.scm\"\n.byte 0\nlibrary: .incbin \"library.scm\"\n.byte 0\n.text\n");

enum { STACK_RESERVE = 256 << 10 };          /* of a thread's stack, for what runs when it is full */

static int file_count;
static char **files;

/* ---- an interpreter ----------------------------------------------------------------------------------------------- */

static value run_prelude(void *data) {
    load_port(port_of(open_text(make_text("prelude.scm"), prelude, strlen(prelude))));
    load_port(port_of(open_text(make_text("library.scm"), library, strlen(library))));
    return (value)data;
}

/* Runs what the body does; reports what it raises. */
static bool run_reported(value (*body)(void *), void *data, value *result) {
    bool succeeded = protect(body, data, result);
    if (!succeeded)
        complain("interp: ", *result);
    return succeeded;
}

/* The thread's stack grows down to about there. */
static char *stack_floor(void) {
    pthread_attr_t attributes;
    void *stack;
    size_t size;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0
        || pthread_attr_getstack(&attributes, &stack, &size) != 0)
        abort();
    pthread_attr_destroy(&attributes);
    return (char *)stack + STACK_RESERVE;
}

static void interp_open(FILE *out) {
    value result;
    memory_thread_open();
    me.globals = NIL;
    me.pristine = true;
    me.reals = pool_new(sizeof(double), true);
    me.symbols = make_table(BY_NAME, true);
    me.places = make_table(BY_EQV, false);
    control_open(stack_floor());
    me.output = open_stream(out, "stdout", true);
    me.input = open_stream(stdin, "stdin", false);
    define_all();
    if (!run_reported(run_prelude, NULL, &result))
        exit(1);
}

/* ---- files and the prompt ----------------------------------------------------------------------------------------- */

static value run_file(void *data) {
    load_port(port_of(open_file(data)));
    return UNSPECIFIED;
}

static value read_form(void *data) {
    me.places = make_table(BY_EQV, false);
    return read_datum(data);
}

static value eval_form(void *data) { return eval_toplevel(*(value *)data); }

static void prompt(void) {
    struct port *input = port_of(me.input);
    bool interactive = isatty(STDIN_FILENO);
    input->noting = true;
    for (;;) {
        value form, result;
        if (interactive)
            fputs("> ", stdout), fflush(stdout);
        if (!run_reported(read_form, input, &form)) {
            for (int c = 0; c != '\n' && c != EOF;)          /* the rest of the line is part of the mistake */
                c = port_get(input);
            continue;
        }
        if (form == END_OF_FILE)
            return;
        if (run_reported(eval_form, &form, &result) && result != UNSPECIFIED) {
            print(port_of(me.output), result, true);
            port_puts(port_of(me.output), "\n");
        }
    }
}

/* ---- threads ------------------------------------------------------------------------------------------------------ */

struct run { pthread_t thread; FILE *out; char *text; size_t length; bool succeeded; };

static void *run_all(void *data) {
    struct run *run = data;
    value result;
    run->succeeded = true;
    interp_open(run->out);
    if (file_count == 0)
        prompt();
    for (int i = 0; i < file_count && run->succeeded; i++)
        run->succeeded = run_reported(run_file, files[i], &result);
    fflush(run->out);
    control_close();
    me = (struct interp){0};
    memory_thread_close();
    return NULL;
}

static void *join(void *data) {
    pthread_join(*(pthread_t *)data, NULL);
    return NULL;
}

static int run_threads(int count) {
    struct run *runs = calloc((size_t)count, sizeof *runs);
    for (int i = 0; i < count; i++) {
        runs[i].out = open_memstream(&runs[i].text, &runs[i].length);
        if (runs[i].out == NULL || pthread_create(&runs[i].thread, NULL, run_all, &runs[i]) != 0)
            return fprintf(stderr, "interp: cannot start thread %d\n", i), 1;
    }
    bool succeeded = true;
    for (int i = 0; i < count; i++) {
        blocking(join, &runs[i].thread);
        fclose(runs[i].out);
        succeeded = succeeded && runs[i].succeeded;
    }
    fwrite(runs[0].text, 1, runs[0].length, stdout);
    for (int i = 1; i < count; i++) {
        if (runs[i].length == runs[0].length && memcmp(runs[i].text, runs[0].text, runs[0].length) == 0)
            continue;
        fprintf(stderr, "interp: thread %d has not written the same: %s", i, runs[i].text);
        succeeded = false;
    }
    return succeeded ? 0 : 1;
}

/* Takes `NAME NUMBER` from the front of the arguments, if it stands there. */
static bool take_option(char ***arguments, const char *name, long *number) {
    char *end;
    if (**arguments == NULL || strcmp(**arguments, name) != 0 || (*arguments)[1] == NULL)
        return false;
    *number = strtol((*arguments)[1], &end, 10);
    *arguments += 2;
    return *end == 0 && *number > 0;
}

int main(int count, char **arguments) {
    long threads = 1, megabytes = 0;
    char **end = arguments++ + count;
    while (take_option(&arguments, "--threads", &threads) || take_option(&arguments, "--heap-limit", &megabytes))
        ;
    if (*arguments != NULL && strncmp(*arguments, "--", 2) == 0)
        return fprintf(stderr, "usage: interp [--threads N] [--heap-limit MEGABYTES] [FILE ...]\n"), 2;
    files = arguments;
    file_count = (int)(end - arguments);
    memory_open();
    heap_limit_set((size_t)megabytes << 20);
    if (threads > 1)
        return run_threads((int)threads);
    struct run run = {.out = stdout};
    run_all(&run);
    return run.succeeded ? 0 : 1;
}
