/* The main thread ends before others, behind malloc: its stack's mapping stays a root as a whole, because environment and
 * arguments lie in it. */
#define DEAD_STACK_IS_ROOT
#include "../contract/leader_exits.c"
