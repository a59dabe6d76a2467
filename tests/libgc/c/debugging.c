/* GC_DEBUG: objects that were written past their ends or freed twice are named with the line that allocated them. */
#define GC_DEBUG
#include "check.h"
#include <fcntl.h>
#include <unistd.h>

static char text[4096];

/* What is written to standard error while `work` runs. */
static const char *said(void (*work)(void)) {
    int ends[2], before = dup(2);
    ssize_t bytes;
    CHECK(pipe(ends) == 0 && dup2(ends[1], 2) == 2, "a pipe");
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    work();
    fflush(stderr);
    dup2(before, 2);
    close(before);
    close(ends[1]);
    bytes = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    text[bytes < 0 ? 0 : bytes] = '\0';
    return text;
}

static char *volatile object;

static void collect(void) {
    GC_gcollect();
}

static void free_object(void) {
    GC_FREE(object);
}

int main(void) {
    GC_INIT();
    CHECK(GC_get_debug_header_size() == 32, "the header");
    object = GC_MALLOC(100);
    CHECK(GC_base(object) == object - 32, "the header lies before the object");
    for (int i = 0; i < 100; i++)
        CHECK(object[i] == 0, "zero");
    object = GC_REALLOC(object, 200);
    memset(object, 1, 200);
    CHECK(strcmp(said(collect), "") == 0, "nothing is wrong: %s", text);
    object[200] = 1;
    said(collect);
    CHECK(strstr(text, "found 1 smashed heap objects:\n") != NULL, "smashed: %s", text);
    CHECK(strstr(text, "debugging.c:") != NULL && strstr(text, "sz= 200)") != NULL, "where: %s", text);
    char line[200];
    int line_number = 0;
    sprintf(line, " %p in or near object at %p (", (void *)(object + 200), (void *)object);
    CHECK(strstr(text, line) != NULL && sscanf(strrchr(text, ':'), ":%d, sz= 200)\n", &line_number) == 1 && line_number > 0,
          "the line '%s...': %s", line, text);
    said(free_object);
    CHECK(strstr(text, "found smashed location at") != NULL, "smashed and freed: %s", text);
    said(free_object);
    CHECK(strstr(text, "previously deallocated") != NULL, "freed twice: %s", text);
    object = GC_MALLOC_UNCOLLECTABLE(16);
    CHECK(strcmp(said(free_object), "") == 0, "%s", text);
    CHECK(strcmp(GC_STRDUP("a string"), "a string") == 0, "a string");
    object = GC_MALLOC_ATOMIC(64);
    CHECK(GC_base(object + 63) == object - 32, "atomic");
    return 0;
}
