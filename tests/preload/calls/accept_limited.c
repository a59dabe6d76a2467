/* accept with a time limit waits for a connection. */
#define LIMIT SO_RCVTIMEO
#include "accept.c"
