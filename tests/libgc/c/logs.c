/* Where the library's own lines go: standard output, standard error, and the log, whose descriptor a program may set. */
#include "check.h"
#include <unistd.h>

/* Exported, and in no header. */
void GC_printf(const char *format, ...);
void GC_err_printf(const char *format, ...);
void GC_log_printf(const char *format, ...);

/* A file without a name. */
static int empty_file(void) {
    char path[] = "/tmp/logs-XXXXXX";
    int file = mkstemp(path);
    CHECK(file >= 0 && unlink(path) == 0, "no file in /tmp");
    return file;
}

static void has(int file, const char *expected) {
    char text[200] = "";
    ssize_t length = pread(file, text, sizeof text - 1, 0);
    CHECK(length >= 0 && strcmp(text, expected) == 0, "`%s` instead of `%s`", text, expected);
}

int main(void) {
    int output = empty_file(), error = empty_file(), log = empty_file();
    int standard[] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    GC_INIT();
    dup2(output, STDOUT_FILENO);
    dup2(error, STDERR_FILENO);
    GC_printf("%d to %s\n", 1, "output");
    GC_err_printf("%d to %s\n", 2, "error");
    GC_log_printf("%d to %s\n", 3, "error");
    GC_set_log_fd(log);
    GC_log_printf("%d to %s\n", 4, "the log");
    GC_err_printf("5 to error\n");
    dup2(standard[0], STDOUT_FILENO);
    dup2(standard[1], STDERR_FILENO);
    has(output, "1 to output\n");
    has(error, "2 to error\n3 to error\n5 to error\n");
    has(log, "4 to the log\n");
    return 0;
}
