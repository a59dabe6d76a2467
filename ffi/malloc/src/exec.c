/* Programs that a program becomes, or starts, keep this library by the option exec=keep: where the environment that it gives
 * them does not name us any more, an environment that does is given instead.
 *
 * All of it is on the stack: a vfork child may be the one who calls.
 */
#include <alloca.h>
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* The Rust side: our own path while the option is set, else null; the options in the form NAME=VALUE, or null; the C
 * library's functions. */
const char *gleaner_kept_path(void);
const char *gleaner_kept_options(void);
int (*gleaner_real_execve(void))(const char *, char *const[], char *const[]);
int (*gleaner_real_execvpe(void))(const char *, char *const[], char *const[]);
int (*gleaner_real_fexecve(void))(int, char *const[], char *const[]);
typedef int spawn(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const[],
                  char *const[]);
spawn *gleaner_real_posix_spawn(void);
spawn *gleaner_real_posix_spawnp(void);

static const char PRELOAD[] = "LD_PRELOAD=";

/* The environment and us: room for so many words and bytes. */
struct room {
    size_t words, bytes;
};

static int begins(const char *entry, const char *name, size_t length) {
    return strncmp(entry, name, length) == 0;
}

/* How much room `with_us` needs: no words if the environment is right as it is. */
static struct room room_for(char *const *environment) {
    const char *path = gleaner_kept_path();
    struct room room = {0, 0};
    size_t preload_length = sizeof PRELOAD - 1, preloaded = 0, count = 0;
    if (path == NULL)
        return room;
    for (; environment != NULL && environment[count] != NULL; count++)
        if (begins(environment[count], PRELOAD, preload_length)) {
            if (strstr(environment[count], path) != NULL)
                return room;
            preloaded += strlen(environment[count]);
        }
    room.words = count + 3;
    room.bytes = preload_length + strlen(path) + preloaded + 1;
    return room;
}

/* Fills the room: what was preloaded still is, after us. */
static void with_us(char *const *environment, char **words, char *preload) {
    const char *options = gleaner_kept_options();
    size_t preload_length = sizeof PRELOAD - 1, filled = 0;
    size_t name_length = options != NULL ? (size_t)(strchr(options, '=') - options) + 1 : 0;
    int has_options = options == NULL;
    strcpy(strcpy(preload, PRELOAD) + preload_length, gleaner_kept_path());
    words[filled++] = preload;
    for (; environment != NULL && *environment != NULL; environment++) {
        if (begins(*environment, PRELOAD, preload_length)) {
            strcat(strcat(preload, ":"), *environment + preload_length);
            continue;
        }
        has_options |= options != NULL && begins(*environment, options, name_length);
        words[filled++] = *environment;
    }
    if (!has_options)
        words[filled++] = (char *)options;
    words[filled] = NULL;
}

/* Makes `environment` one that names us; it lives as long as the calling function. */
#define NAME_US(environment)                                                                                           \
    do {                                                                                                               \
        struct room room = room_for(environment);                                                                      \
        if (room.words != 0) {                                                                                         \
            char **words = alloca(room.words * sizeof *words);                                                         \
            with_us(environment, words, alloca(room.bytes));                                                           \
            (environment) = words;                                                                                     \
        }                                                                                                              \
    } while (0)

int gleaner_edge_execve(const char *path, char *const arguments[], char *const environment[]) {
    NAME_US(environment);
    return gleaner_real_execve()(path, arguments, environment);
}

int gleaner_edge_execvpe(const char *file, char *const arguments[], char *const environment[]) {
    NAME_US(environment);
    return gleaner_real_execvpe()(file, arguments, environment);
}

int gleaner_edge_fexecve(int fd, char *const arguments[], char *const environment[]) {
    NAME_US(environment);
    return gleaner_real_fexecve()(fd, arguments, environment);
}

int gleaner_edge_execv(const char *path, char *const arguments[]) {
    return gleaner_edge_execve(path, arguments, environ);
}

int gleaner_edge_execvp(const char *file, char *const arguments[]) {
    return gleaner_edge_execvpe(file, arguments, environ);
}

int gleaner_edge_posix_spawn(pid_t *process, const char *path, const posix_spawn_file_actions_t *actions,
                             const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]) {
    NAME_US(environment);
    return gleaner_real_posix_spawn()(process, path, actions, attributes, arguments, environment);
}

int gleaner_edge_posix_spawnp(pid_t *process, const char *file, const posix_spawn_file_actions_t *actions,
                              const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]) {
    NAME_US(environment);
    return gleaner_real_posix_spawnp()(process, file, actions, attributes, arguments, environment);
}

/* The arguments of a list, which ends with null, as an array; `rest` comes to stand after the null. */
#define AS_ARRAY(array, first, rest)                                                                                   \
    do {                                                                                                               \
        va_list counted;                                                                                               \
        size_t count = 1;                                                                                              \
        va_copy(counted, rest);                                                                                        \
        while ((first) != NULL && va_arg(counted, char *) != NULL)                                                     \
            count++;                                                                                                   \
        va_end(counted);                                                                                               \
        (array) = alloca((count + 1) * sizeof *(array));                                                               \
        (array)[0] = (char *)(first);                                                                                  \
        for (size_t i = 1; i <= count && (first) != NULL; i++)                                                         \
            (array)[i] = va_arg(rest, char *);                                                                         \
    } while (0)

int gleaner_edge_execl(const char *path, const char *first, ...) {
    char **arguments;
    va_list rest;
    va_start(rest, first);
    AS_ARRAY(arguments, first, rest);
    va_end(rest);
    return gleaner_edge_execv(path, arguments);
}

int gleaner_edge_execlp(const char *file, const char *first, ...) {
    char **arguments;
    va_list rest;
    va_start(rest, first);
    AS_ARRAY(arguments, first, rest);
    va_end(rest);
    return gleaner_edge_execvp(file, arguments);
}

int gleaner_edge_execle(const char *path, const char *first, ...) {
    char **arguments;
    char *const *environment;
    va_list rest;
    va_start(rest, first);
    AS_ARRAY(arguments, first, rest);
    environment = va_arg(rest, char *const *);
    va_end(rest);
    return gleaner_edge_execve(path, arguments, environment);
}
