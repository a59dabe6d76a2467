/* The header alone: it needs nothing before it. */
#include <gleaner.h>

typedef int a_unit_is_not_empty;
