/* connect with a time limit waits for room among the connections that nobody has accepted. */
#define LIMIT SO_SNDTIMEO
#include "connect.c"
