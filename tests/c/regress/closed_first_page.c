/* The heap's first page is closed, and so is the page before the heap, which is not the heap's: the kernel lists both as
 * one. A collection reads the page all the same. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, NOBODYS = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE };

/* Where the mapping begins that `address` lies in. */
static uintptr_t mapping_start(uintptr_t address)
{
    static char line[8192];
    uintptr_t start, end, found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && found == 0 && fgets(line, sizeof line, maps) != NULL)
        if (sscanf(line, "%lx-%lx", &start, &end) == 2 && address >= start && address < end)
            found = start;
    return found;
}

int main(void)
{
    void (*collect)(void);
    *(void **)&collect = dlsym(RTLD_DEFAULT, "gc_collect");
    uintptr_t heap = mapping_start((uintptr_t)malloc(100));
    void *before = (void *)(heap - PAGE);
    if (heap == 0 || mmap(before, PAGE, PROT_NONE, NOBODYS, -1, 0) != before)
        return puts("the page before the heap is not free"), 1;
    void *page = (void *)heap;
    if (mprotect(page, PAGE, PROT_NONE) != 0)
        return 1;
    collect();
    if (mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0)
        return 1;
    puts("survived");
    return 0;
}
