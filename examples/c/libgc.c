/* A program for bdwgc's collector. It builds a list of a million elements fifty times, keeps the last one, and frees
 * nothing. Built with the headers and the library of libgc-dev, it runs on either library. */
#include <gc.h>
#include <stdio.h>

struct element {
    struct element *next;
    long number;
};

static struct element *build(long count) {
    struct element *first = NULL;
    for (long number = 0; number < count; number++) {
        struct element *element = GC_MALLOC(sizeof *element);
        if (element == NULL)
            return NULL;
        element->next = first;
        element->number = number;
        first = element;
    }
    return first;
}

int main(void) {
    struct element *kept = NULL;
    long sum = 0;
    GC_INIT();
    for (int list = 0; list < 50; list++)
        kept = build(1000000);
    for (struct element *element = kept; element != NULL; element = element->next)
        sum += element->number;
    printf("sum of the last list: %ld\n", sum);
    printf("collections: %s\n", GC_get_gc_no() > 5 ? "some" : "hardly any");
    printf("version %u.%u\n", GC_get_version() >> 16, GC_get_version() >> 8 & 0xff);
    return 0;
}
