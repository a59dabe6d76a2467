/* A program that becomes itself again in every way there is, with the environment that it has, an empty one, or one of these
 * entries alone, and then says whether a library is still preloaded, or what its environment is (exec.sh).
 */
#include "preload.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

static int is_preloaded(void)
{
    char line[1024];
    int is = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    NEED(maps != NULL);
    while (fgets(line, sizeof line, maps) != NULL)
        is |= strstr(line, "libgleaner_malloc") != NULL;
    fclose(maps);
    return is;
}

static int by_spawn(int (*spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                                 char *const[], char *const[]),
                    char *path, char *const arguments[], char *const environment[])
{
    pid_t process;
    int status;
    NEED((errno = spawn(&process, path, NULL, NULL, arguments, environment)) == 0);
    NEED(waitpid(process, &status, 0) == process);
    exit(WEXITSTATUS(status));
}

int main(int count, char **arguments)
{
    enum { ENTRIES_MAX = 8 };
    static char *entries[ENTRIES_MAX + 1];
    char **environment = environ;
    char path[4096];
    if (count == 2 && strcmp(arguments[1], "again") == 0) {
        puts(is_preloaded() ? "preloaded" : "plain");
        return 0;
    }
    if (count == 2 && strcmp(arguments[1], "lists") == 0) {
        for (char **entry = environ; *entry != NULL; entry++)
            puts(*entry);
        return 0;
    }
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    NEED(length > 0);
    path[length] = '\0';
    int way = count > 1 ? atoi(arguments[1]) : 0;
    NEED(count - 3 <= ENTRIES_MAX);
    for (int i = 3; i < count; i++)
        entries[i - 3] = arguments[i];
    if (count > 2)
        environ = environment = entries;
    char *then = count > 3 ? "lists" : "again";
    char *again[] = {arguments[0], then, NULL};
    switch (way) {
    case 0: execve(path, again, environment); break;
    case 1: execv(path, again); break;
    case 2: execvp(path, again); break;
    case 3: execvpe(path, again, environment); break;
    case 4: fexecve(open(path, O_RDONLY), again, environment); break;
    case 5: execl(path, arguments[0], then, (char *)NULL); break;
    case 6: execlp(path, arguments[0], then, (char *)NULL); break;
    case 7: execle(path, arguments[0], then, (char *)NULL, environment); break;
    case 8: return by_spawn(posix_spawn, path, again, environment);
    case 9: return by_spawn(posix_spawnp, path, again, environment);
    default: break;
    }
    GIVE_UP("exec");
}
