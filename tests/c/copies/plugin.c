/* A plugin that uses gleaner.h, and tells what its names came to mean. */
#include "door.h"

void plugin_door(struct door *door)
{
#define SET(name) door->name = name;
    NAMES(SET)
#undef SET
    door->malloc = malloc;
    door->free = free;
    door->longjmp = longjmp;
}
