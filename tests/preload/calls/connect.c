/* connect waits for room among the connections that nobody has accepted. */
#include "connections.h"

#ifndef LIMIT
#define LIMIT 0
#endif

void prepare(void)
{
    listen_to_some(0, 0);
    /* So much is no waiting yet. */
    NEED(connect(new_socket(0), (struct sockaddr *)&address, address_bytes) == 0);
}

void partner(void)
{
    int fd;
    linger();
    NEED((fd = accept(listening, NULL, NULL)) >= 0);
    close(fd);
}

void call(void)
{
    int fd = new_socket(LIMIT);
    ended(connect(fd, (struct sockaddr *)&address, address_bytes));
    close(fd);
}
