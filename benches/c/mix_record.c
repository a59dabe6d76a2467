/*
 * Records what a program asks of malloc: how often each size, and how long such objects live. Preloaded; at its end the
 * process appends lines "size lifetime count" to the file that MIX_RECORD names. mix_record.sh makes mix.h of them.
 *
 * Sizes are rounded up, to multiples of 16 and above 128 to four steps a doubling. A lifetime is the number of
 * allocations until the free, rounded up to a power of 16; LIFETIME_LONG stands for all that are longer, and for
 * objects that are never freed. A block that realloc moves or resizes ends and begins.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCKS = 1 << 24, CLASSES = 200, LIFETIMES = 6, LIFETIME_LONG = LIFETIMES - 1 };

/* glibc's own names for what is interposed here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

/* Blocks in use by address, in open addressing: a freed one leaves its place to whatever comes next there. */
static struct block {
    uintptr_t address;
    uint32_t class, born;               /* `in_use` says whether these mean anything */
    int in_use;
} *blocks;
static unsigned long counts[CLASSES][LIFETIMES];
static size_t class_size[CLASSES];
static uint32_t clock_allocations;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t rounded(size_t size)
{
    size_t step = 16;
    while (8 * step < size)
        step *= 2;
    return (size + step - 1) / step * step;
}

/* The class of a size; classes are numbered in the order in which their sizes first come, the last takes the rest. */
static uint32_t class_of(size_t size)
{
    uint32_t class = 0;
    size = rounded(size != 0 ? size : 1);
    while (class + 1 < CLASSES && class_size[class] != 0 && class_size[class] != size)
        class++;
    if (class_size[class] == 0)
        class_size[class] = size;
    return class;
}

/* The place of an address: the one that has it, or the first that was never taken. */
static struct block *block_at(uintptr_t address)
{
    size_t place = address / 16 * 0x9e3779b97f4a7c15u >> 40;
    while (blocks[place].address != 0 && blocks[place].address != address)
        place = (place + 1) % BLOCKS;
    return &blocks[place];
}

static void begin(void *address, size_t size)
{
    if (address == NULL)
        return;
    pthread_mutex_lock(&lock);
    if (blocks == NULL)
        blocks = mmap(NULL, BLOCKS * sizeof *blocks, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (blocks == MAP_FAILED)
        abort();
    *block_at((uintptr_t)address) = (struct block){ (uintptr_t)address, class_of(size), clock_allocations++, 1 };
    pthread_mutex_unlock(&lock);
}

static void end(void *address)
{
    pthread_mutex_lock(&lock);
    struct block *block = blocks != NULL ? block_at((uintptr_t)address) : NULL;
    if (block != NULL && block->in_use) {
        uint32_t age = clock_allocations - block->born;
        unsigned lifetime = 0;
        for (uint32_t bound = 1; age > bound && lifetime < LIFETIME_LONG; bound *= 16)
            lifetime++;
        counts[block->class][lifetime]++;
        block->in_use = 0;
    }
    pthread_mutex_unlock(&lock);
}

void *malloc(size_t size)
{
    void *block = __libc_malloc(size);
    begin(block, size);
    return block;
}

void *calloc(size_t count, size_t size)
{
    void *block = __libc_calloc(count, size);
    begin(block, count * size);
    return block;
}

void *realloc(void *old, size_t size)
{
    end(old);
    void *block = __libc_realloc(old, size);
    begin(block, size);
    return block;
}

void free(void *block)
{
    end(block);
    __libc_free(block);
}

__attribute__((destructor)) static void write_record(void)
{
    static char text[CLASSES * LIFETIMES * 48];
    const char *path = getenv("MIX_RECORD");
    size_t length = 0;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; blocks != NULL && i < BLOCKS; i++)
        if (blocks[i].in_use)
            counts[blocks[i].class][LIFETIME_LONG]++;
    pthread_mutex_unlock(&lock);
    for (int class = 0; class < CLASSES; class++)
        for (int lifetime = 0; lifetime < LIFETIMES; lifetime++)
            if (counts[class][lifetime] != 0)
                length += (size_t)snprintf(text + length, sizeof text - length, "%zu %d %lu\n", class_size[class],
                                           lifetime, counts[class][lifetime]);
    int fd = path != NULL ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (fd < 0 || write(fd, text, length) != (ssize_t)length)
        fprintf(stderr, "mix_record: nothing was recorded: MIX_RECORD names no file that can be written\n");
}
