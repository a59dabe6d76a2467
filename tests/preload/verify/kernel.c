/* Lets the kernel write to an object whose only pointer is hidden, and read from another: by arguments, and by arrays of
 * buffers.
 *
 * says: read was given #, 0 bytes inside an object of 120 bytes at #, unreachable since collection 1
 * says:   by read_into+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_object+# (PROGRAM+#)
 * says: readv was given #, 8 bytes inside an object of 120 bytes at #, unreachable since collection 1
 * says:   by scatter+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_object+# (PROGRAM+#)
 * says: write was given #, 1 bytes inside an object of 120 bytes at #, unreachable since collection 1
 * says:   by write_from+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_object+# (PROGRAM+#)
 * says: connect was given #, 0 bytes inside an object of 120 bytes at #, unreachable since collection 1
 * says:   by connect_to+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_object+# (PROGRAM+#)
 * says: preadv2 was given #, 8 bytes inside an object of 120 bytes at #, unreachable since collection 1
 * says:   by scatter_at+# (PROGRAM+#)
 * says:   called from main+# (PROGRAM+#)
 * says:   allocated by make_object+# (PROGRAM+#)
 * blind: passed
 */
#include "preload.h"
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

enum { OBJECTS = 5 };
static uintptr_t hidden[OBJECTS];

NOINLINE void *make_object(void)
{
    char *object = calloc(1, 120);
    object[119] = 'x';
    return object;
}

static void put(void)
{
    for (int i = 0; i < OBJECTS; i++)
        hidden[i] = hide(make_object());
}

NOINLINE ssize_t read_into(int fd, char *buffer)
{
    ssize_t bytes = read(fd, buffer, 5);
    return bytes + 1;
}

NOINLINE ssize_t scatter(int fd, char *buffer)
{
    char front[2];
    struct iovec parts[] = {{front, 2}, {buffer + 8, 5}};
    ssize_t bytes = readv(fd, parts, 2);
    return bytes + 1;
}

NOINLINE ssize_t write_from(int fd, char *buffer)
{
    ssize_t bytes = write(fd, buffer, 40);
    return bytes + 1;
}

NOINLINE int connect_to(int fd, struct sockaddr_un *name)
{
    int result = connect(fd, (struct sockaddr *)name, sizeof *name);
    return result - 1;
}

NOINLINE ssize_t scatter_at(int fd, char *buffer)
{
    char front[2];
    struct iovec parts[] = {{front, 2}, {buffer + 8, 5}};
    ssize_t bytes = preadv2(fd, parts, 2, 0, 0);
    return bytes + 1;
}

int main(void)
{
    int ends[2];
    NEED(pipe(ends) == 0 && write(ends[1], "hello, friend", 14) == 14);
    run(put);
    churn_bytes(120);
    char *first = reveal(hidden[0]), *second = reveal(hidden[1]);
    ssize_t got = read_into(ends[0], first);
    ssize_t scattered = scatter(ends[0], second);
    ssize_t written = write_from(ends[1], (char *)reveal(hidden[3]) + 1);
    errno = 0;
    int connected = connect_to(socket(AF_UNIX, SOCK_STREAM, 0), reveal(hidden[2]));
    const char *error = strerror(errno);
    FILE *file = tmpfile();
    char *third = reveal(hidden[4]);
    NEED(file != NULL && fputs("hello, friend", file) >= 0 && fflush(file) == 0);
    ssize_t scattered_at = scatter_at(fileno(file), third);
    printf("%zd %.5s %zd %.5s %zd %d %s ", got, first, scattered, second + 8, written, connected, error);
    printf("%zd %.5s\n", scattered_at, third + 8);
    return 0;
}
