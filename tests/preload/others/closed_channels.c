/* More messages with pointers than can be followed go into pipes, and then into sockets, that are closed before anybody
 * reads them: what nobody can read any more is not followed.
 */
#include "preload.h"

#include <sys/socket.h>

enum { COUNT = 35000 };

static void put(int in, int out)
{
    struct victim *victim = victim_new();
    NEED(write(in, &victim, sizeof victim) == sizeof victim);
    NEED(close(in) == 0 && close(out) == 0);
}

int main(void)
{
    int ends[2];
    for (int i = 0; i < COUNT; i++) {
        NEED(pipe(ends) == 0);
        put(ends[1], ends[0]);
    }
    for (int i = 0; i < COUNT; i++) {
        NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        put(ends[1], ends[0]);
    }
    puts("all were closed");
    return 0;
}
