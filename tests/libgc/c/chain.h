/* A chain of numbered nodes that the collector's functions hold together: for the programs whose threads build such. */
#ifndef CHAIN_H
#define CHAIN_H

#include "check.h"

struct node {
    struct node *next;
    size_t number;
};

static struct node *build(size_t length) {
    struct node *head = NULL;
    for (size_t i = 0; i < length; i++) {
        struct node *node = GC_malloc(sizeof *node);
        node->next = head;
        node->number = i;
        head = node;
    }
    return head;
}

static void judge(const struct node *head, size_t expected) {
    size_t length = 0;
    for (; head != NULL; head = head->next)
        CHECK(head->number == expected - ++length, "node %zu", length);
    CHECK(length == expected, "%zu nodes", length);
}

#endif
