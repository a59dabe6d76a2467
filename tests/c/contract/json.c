/* gc_stats_json writes one well-formed object with every field by its name, and counts like snprintf. */
#include <ctype.h>
#include "check.h"

static const char *at;

static void space(void)
{
    while (isspace((unsigned char)*at))
        at++;
}

static void expect(char c)
{
    space();
    CHECK(*at == c, "expected %c before: %.40s", c, at);
    at++;
}

static void string(void)
{
    expect('"');
    while (*at != '"') {
        CHECK(*at != 0 && *at != '\\' && !iscntrl((unsigned char)*at), "a name goes on to: %.40s", at);
        at++;
    }
    at++;
}

static void number(void)
{
    space();
    CHECK(isdigit((unsigned char)*at), "expected a number before: %.40s", at);
    CHECK(*at != '0' || !isdigit((unsigned char)at[1]), "a leading zero: %.40s", at);
    while (isdigit((unsigned char)*at))
        at++;
}

static size_t object(void)
{
    size_t members = 0;
    expect('{');
    for (;;) {
        string();
        expect(':');
        space();
        if (*at == '"')
            string();
        else
            number();
        members++;
        space();
        if (*at == '}')
            break;
        expect(',');
    }
    expect('}');
    space();
    CHECK(*at == 0, "after the object: %.40s", at);
    return members;
}

static const char *const names[] = {
    "version", "collections", "bytes_in_use", "bytes_heap", "bytes_committed", "bytes_metadata",
    "bytes_allocated_total", "bytes_freed_total", "bytes_reclaimed_total", "objects_reclaimed_total",
    "pause_total_ns", "pause_longest_ns", "pause_last_ns", "mark_last_ns", "sweep_last_ns", "live_bytes_last",
    "live_objects_last", "threads", "stops_abandoned", "finalizers_pending", "finalizers_run", "finalizer_cycles",
    "weak_cleared", "released_bytes_total", "oom_events", "bytes_limit"
};

int main(void)
{
    static char text[8192], part[8192];
    size_t i, length, written;

    gc_heap_limit_set(123456789);
    gc_collect();
    length = gc_stats_json(NULL, 0);
    CHECK(length > 100 && length < sizeof text, "the length is %zu", length);
    written = gc_stats_json(text, sizeof text);
    CHECK(written == strlen(text), "it says %zu and writes %zu", written, strlen(text));
    at = text;
    CHECK(object() >= sizeof names / sizeof *names, "fewer members than fields: %s", text);
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        snprintf(name, sizeof name, "\"%s\"", names[i]);
        CHECK(strstr(text, name) != NULL, "no member %s in %s", name, text);
    }
    at = strstr(text, "\"bytes_limit\"") + 13;
    expect(':');
    CHECK(strtoul(at, NULL, 10) == 123456789, "the limit is %.12s", at);

    for (i = 1; i < 64; i++) {
        memset(part, 'z', sizeof part);
        gc_stats_json(part, i);
        CHECK(strlen(part) == i - 1 && strncmp(part, text, 1) <= 0, "%zu bytes of room hold %zu", i, strlen(part));
        CHECK(part[i] == 'z', "%zu bytes of room, and more were written", i);
    }
    return 0;
}
