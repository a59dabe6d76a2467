/* A program of gleaner.h that is linked with libgc.so.1 too. */
#include <gc.h>
#include <gleaner.h>
#include <stdio.h>

int main(void) {
    void *object = gc_malloc(100);
    GC_INIT();
    printf("%s\n", gc_base(GC_MALLOC(100)) != NULL && GC_base(object) == object ? "one heap" : "two heaps");
    return 0;
}
