/* Pages of the heap that the program has protected: a coroutine's stack with a guard page in it, as several libraries
 * make them, an object that is only read, and one that is closed and forgotten. None of them stops a collection, loses
 * what it points to, or is handed out again. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 4, OBJECTS = PAGE / sizeof(void *), LEAKS = 40000, TEXT = 48 };

static char *stack;
static char **read_only;

static void *pages(void)
{
    void *start = NULL;
    if (posix_memalign(&start, PAGE, PAGES * PAGE) != 0)
        exit(1);
    memset(start, 0, PAGES * PAGE);
    return start;
}

static char *text(size_t number)
{
    char *text = malloc(TEXT);
    snprintf(text, TEXT, "number %zu", number);
    return text;
}

static int are_whole(char **texts)
{
    for (size_t i = 0; i < OBJECTS; i++) {
        char expected[TEXT];
        snprintf(expected, sizeof expected, "number %zu", i);
        if (strcmp(texts[i], expected) != 0)
            return 0;
    }
    return 1;
}

/* The kernel may not read it. */
static int is_closed(const char *page)
{
    int ends[2];
    if (pipe(ends) != 0)
        return 0;
    int is_closed = write(ends[1], page, 1) == -1 && errno == EFAULT;
    close(ends[0]);
    close(ends[1]);
    return is_closed;
}

static void forget_a_closed_one(void)
{
    mprotect(pages(), PAGES * PAGE, PROT_NONE);
}

static void leak(void)
{
    for (size_t i = 0; i < LEAKS; i++) {
        volatile char *leaked = malloc(i % 100 == 0 ? PAGES * PAGE : TEXT);
        memset((char *)leaked, 0x55, TEXT);
    }
}

int main(void)
{
    stack = pages();
    read_only = pages();
    for (size_t i = 0; i < OBJECTS; i++) {
        ((char **)stack)[i] = text(i);
        ((char **)(stack + PAGE))[i] = text(i);
        read_only[i] = text(i);
    }
    if (mprotect(stack, PAGE, PROT_NONE) != 0 || mprotect(read_only, PAGES * PAGE, PROT_READ) != 0)
        return 1;
    forget_a_closed_one();
    leak();
    if (!is_closed(stack) || is_closed(stack + PAGE)) {
        puts("a protection has changed");
        return 1;
    }
    mprotect(stack, PAGE, PROT_READ | PROT_WRITE);
    if (!are_whole((char **)stack) || !are_whole((char **)(stack + PAGE)) || !are_whole(read_only)) {
        puts("something is lost");
        return 1;
    }
    if (mprotect(stack + 1, PAGE, PROT_READ) != -1 || errno != EINVAL)
        return 1;
    free(stack);
    puts("whole");
    return 0;
}
