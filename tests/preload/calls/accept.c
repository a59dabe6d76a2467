/* accept waits for a connection. */
#include "connections.h"

#ifndef LIMIT
#define LIMIT 0
#endif

void prepare(void)
{
    listen_to_some(LIMIT, 8);
}

void partner(void)
{
    int fd = new_socket(0);
    linger();
    NEED(connect(fd, (struct sockaddr *)&address, address_bytes) == 0);
    close(fd);
}

void call(void)
{
    int fd = accept(listening, NULL, NULL);
    ended(fd < 0 ? fd : 0);
    close(fd);
}
