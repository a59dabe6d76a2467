/* A listening socket of this machine's, for the programs about connections. */
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include "calls.h"

#include <sys/un.h>

static int listening;
static socklen_t address_bytes;
static struct sockaddr_un address = { .sun_family = AF_UNIX };

static int new_socket(int option)
{
    struct timeval limit = { 20, 0 };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    NEED(fd >= 0);
    if (option != 0)
        NEED(setsockopt(fd, SOL_SOCKET, option, &limit, sizeof limit) == 0);
    return fd;
}

/* A name that the kernel picks, in no directory. */
static void listen_to_some(int option, int queued)
{
    socklen_t bytes = sizeof address;
    listening = new_socket(option);
    NEED(bind(listening, (struct sockaddr *)&address, sizeof address.sun_family) == 0);
    NEED(getsockname(listening, (struct sockaddr *)&address, &bytes) == 0);
    NEED(listen(listening, queued) == 0);
    address_bytes = bytes;
}

#endif
