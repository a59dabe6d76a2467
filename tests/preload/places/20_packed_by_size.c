/* Row 20: the only pointer is in a packed structure of twelve bytes in a large array, whose size says what it may be.
 * blind: packed
 */
#include "preload.h"

#include <sys/epoll.h>

enum { EVENTS = 30001, MANY = 200001 };
static struct epoll_event *place = (struct epoll_event *)8, *many = (struct epoll_event *)8;

static void put(void)
{
    place = malloc(EVENTS * sizeof *place);
    many = calloc(MANY, sizeof *many);
    NEED(place != NULL && many != NULL);
    memset(place, 0, EVENTS * sizeof *place);
    for (int i = 1; i < EVENTS; i += 7)
        place[i].data.ptr = victim_new();
    for (int i = 1; i < MANY; i += 97)
        many[i].data.ptr = victim_new();
    place[EVENTS - 1].data.ptr = victim_new();
    many[MANY - 1].data.ptr = victim_new();
}

int main(void)
{
    int is_whole = 1;
    run(put);
    churn();
    for (int i = 1; i < EVENTS; i += 7)
        is_whole &= victim_is_whole(place[i].data.ptr);
    for (int i = 1; i < MANY; i += 97)
        is_whole &= victim_is_whole(many[i].data.ptr);
    is_whole &= victim_is_whole(place[EVENTS - 1].data.ptr) && victim_is_whole(many[MANY - 1].data.ptr);
    return verdict(is_whole);
}
