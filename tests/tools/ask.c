/* Asks the heap about a word that was never written: what an interpreter does that looks for objects on its own stack.
 * memcheck reports the heap's decision; the shipped suppressions are for this. */
#include <gleaner.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    void **object = gc_malloc_atomic(16), *word = object[1];
    int is_there = gc_contains(word);
    void *base = gc_base(word);
    (void)is_there;
    (void)base;
    puts("ask: done");
    return object == NULL;
}
