/* Code that the program has made holds the only pointers to objects, as a just-in-time compiler's does: in the middle of
 * instructions, at any alignment and across pages. Some of it can still be written, some of it only be run, and of some
 * the second page can be written and the first not. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, PAGES = 2, FUNCTIONS = PAGES * PAGE / 11, LEAKS = 40000, TEXT = 48, WIDE = 1000 };

/* mov rax, imm64; ret */
struct function {
    unsigned char move[2];
    unsigned char text[8];
    unsigned char leave;
} __attribute__((packed));

/* What lies across two pages names objects of a size of their own: their block is used again when they are lost. */
static size_t text_bytes(int i)
{
    size_t start = i * sizeof(struct function);
    return start / PAGE == (start + sizeof(struct function) - 2) / PAGE ? TEXT : WIDE;
}

static void make(struct function *code)
{
    for (int i = 0; i < FUNCTIONS; i++) {
        char *text = malloc(text_bytes(i));
        snprintf(text, TEXT, "number %d", i);
        code[i] = (struct function){ .move = { 0x48, 0xb8 }, .leave = 0xc3 };
        memcpy(code[i].text, &text, sizeof text);
    }
}

static int is_whole(struct function *code)
{
    for (int i = 0; i < FUNCTIONS; i++) {
        char expected[TEXT];
        snprintf(expected, sizeof expected, "number %d", i);
        if (strcmp(((char *(*)(void))&code[i])(), expected) != 0)
            return 0;
    }
    return 1;
}

static struct function *pages(void)
{
    void *start = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        exit(1);
    return start;
}

int main(void)
{
    struct function *writable = pages(), *finished = pages(), *half = pages();
    make(writable);
    make(finished);
    make(half);
    if (mprotect(finished, PAGES * PAGE, PROT_READ | PROT_EXEC) != 0 || mprotect(half, PAGE, PROT_READ | PROT_EXEC) != 0)
        return 1;
    for (int i = 0; i < LEAKS; i++) {
        size_t bytes = i % 16 == 0 ? WIDE : TEXT;
        void *volatile leaked = malloc(bytes);
        memset(leaked, 0x55, bytes);
    }
    puts(is_whole(writable) && is_whole(finished) && is_whole(half) ? "whole" : "something is lost");
    return 0;
}
