/* The events of a collection: five, in order, with rising times and the collection's number; a nested collection's come
 * after the listener has returned. */
#include "check.h"

enum { ROOM = 100000 };

static gc_event events[ROOM];
static size_t count;
static int nest, inside;

static void listener(const gc_event *event, void *data)
{
    CHECK(strcmp(data, "data") == 0, "the listener's data is %s", (char *)data);
    CHECK(!inside, "an event was delivered inside the listener");
    CHECK(count < ROOM, "too many events");
    inside = 1;
    events[count++] = *event;
    use(gc_malloc(1000));
    if (nest > 0) {
        nest--;
        gc_collect();
    }
    inside = 0;
}

static void check(void)
{
    size_t i;
    CHECK(count % 5 == 0, "%zu events", count);
    for (i = 0; i < count; i++) {
        const gc_event *e = &events[i], *before = &events[i - (i > 0)];
        CHECK(e->version >= 1, "event %zu has version %u", i, e->version);
        CHECK((size_t)e->kind == i % 5, "event %zu is %d, expected %zu", i, (int)e->kind, i % 5);
        if (i % 5 == 0) {
            CHECK(e->duration_ns == 0, "a start took %lu ns", (unsigned long)e->duration_ns);
            CHECK(i == 0 || e->collection > before->collection, "collection %lu follows %lu",
                  (unsigned long)e->collection, (unsigned long)before->collection);
        } else {
            CHECK(e->collection == before->collection, "an event of collection %lu between those of %lu",
                  (unsigned long)e->collection, (unsigned long)before->collection);
            CHECK(e->time_ns >= before->time_ns && e->duration_ns == e->time_ns - before->time_ns,
                  "event %zu at %lu, %lu after the one at %lu", i, (unsigned long)e->time_ns,
                  (unsigned long)e->duration_ns, (unsigned long)before->time_ns);
        }
    }
}

static void garbage(void)
{
    int i;
    for (i = 0; i < 300000; i++)
        use(gc_malloc(64));
}

int main(void)
{
    static char data[] = "data";
    unsigned long before = gc_collections();
    gc_event_listener_set(listener, data);
    run(garbage);
    gc_collect();
    gc_collect();
    check();
    CHECK(count == 5 * (gc_collections() - before), "%zu events of %lu collections", count, gc_collections() - before);
    CHECK(events[count - 1].live_bytes > 0, "nothing is live");
    CHECK(events[4].reclaimed_bytes > 0, "the first collection of garbage reclaimed nothing");

    count = 0;
    nest = 3;
    gc_collect();
    check();
    CHECK(count == 4 * 5, "%zu events of one collection and three nested ones", count);

    gc_event_listener_set(NULL, NULL);
    gc_collect();
    CHECK(count == 4 * 5, "an event came without a listener");
    return 0;
}
