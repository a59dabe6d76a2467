/* Lists of numbered nodes: whoever holds the first node has to find all of them again. */
#ifndef LISTS_H
#define LISTS_H

#include "check.h"

struct node {
    struct node *next;
    size_t number;
};

/* A list of `length` nodes with the numbers from `seed` on, the highest first. */
static struct node *list_of(size_t length, size_t seed)
{
    struct node *first = NULL;
    size_t i;
    for (i = 0; i < length; i++) {
        struct node *node = gc_malloc(sizeof *node);
        CHECK(node != NULL, "no memory");
        node->next = first;
        node->number = seed + i;
        first = node;
    }
    return first;
}

/* Whether a list is as list_of made it. */
static void check_list(const struct node *node, size_t length, size_t seed)
{
    for (; length-- > 0; node = node->next)
        CHECK(node != NULL && node->number == seed + length, "node %zu from %zu is lost", length, seed);
    CHECK(node == NULL, "more nodes than there were from %zu", seed);
}

#endif
