/* What the programs of this directory share. None of them knows of a collector: each is a plain program of POSIX and
 * glibc, which prints "survived" wherever it runs with a malloc that keeps its promise.
 *
 * A program makes a victim, an object whose contents can be told from everything else's; puts the only pointer to it
 * into some place; and makes the heap churn: what was lost by then is overwritten. Then it takes the pointer back and
 * looks. malloc_trim collects, where there is a collector.
 *
 * Its first comment says what it is, and on lines of their own, as far as they apply:
 *
 *     blind: PLACE[,PLACE]     where the search has to be blind for the object to be lost (see roots/blind.rs)
 *     options: NAME=VALUE...   without these it may be lost
 *     says: LINE               (verify) the lines that the library has to say, `#` for a number; only: the last line
 *     survives: OPTIONS        (grace) with these it survives; lost: OPTIONS: with these it does not
 *     says: TEXT               (others, bad) what the library has to say on standard error; else it says nothing
 *     lost: yes                no search can find it: it is lost, as the manual says
 *     link: FLAGS              what the linker needs besides
 *     needs: COMMAND           skipped, and said so, where this command fails
 */
#ifndef PRELOAD_H
#define PRELOAD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOINLINE __attribute__((__noinline__))
#define UNUSED __attribute__((__unused__))

/* The program cannot show anything here: says why, and ends. */
#define GIVE_UP(...)                                          \
    do {                                                      \
        printf("%s:%d: ", __FILE__, __LINE__);                \
        printf(__VA_ARGS__);                                  \
        printf(" (%s)\n", strerror(errno));                   \
        fflush(stdout);                                       \
        _exit(3);                                             \
    } while (0)
#define NEED(condition)                                       \
    do {                                                      \
        if (!(condition))                                     \
            GIVE_UP("%s", #condition);                        \
    } while (0)

/* ---- the victim ------------------------------------------------------------------------------------------------- */

enum { VICTIM_BYTES = 48, VICTIM_WORDS = VICTIM_BYTES / sizeof(uint64_t) };
struct victim {
    uint64_t word[VICTIM_WORDS];
};

static UNUSED uint64_t victim_word(size_t index)
{
    return 0x9e3779b97f4a7c15u * (index + 1);
}

static UNUSED NOINLINE void victim_fill(struct victim *victim)
{
    for (size_t i = 0; i < VICTIM_WORDS; i++)
        victim->word[i] = victim_word(i);
}

/* The first object of its size is kept: it may lie where the heap begins, an address that a library has for other reasons. */
static UNUSED NOINLINE struct victim *victim_new(void)
{
    static void *first;
    if (first == NULL)
        first = malloc(VICTIM_BYTES);
    struct victim *victim = (struct victim *)malloc(sizeof *victim);
    NEED(victim != NULL);
    victim_fill(victim);
    return victim;
}

static UNUSED NOINLINE int victim_is_whole(const struct victim *victim)
{
    for (size_t i = 0; i < VICTIM_WORDS; i++)
        if (victim->word[i] != victim_word(i))
            return 0;
    return 1;
}

/* A word that is no pointer but can be made one again. */
static inline uintptr_t hide(const void *p)
{
    uintptr_t word = ~(uintptr_t)p;
    __asm__ volatile("" : "+r"(word));
    return word;
}

static inline void *reveal(uintptr_t hidden)
{
    return (void *)~hidden;
}

/* ---- nothing left behind ----------------------------------------------------------------------------------------- */

/* Overwrites the dead part of the stack, 4 KiB a level. */
static UNUSED NOINLINE void clear_stack(int depth)
{
    volatile char frame[4096];
    memset((void *)frame, 0, sizeof frame);
    if (depth > 0)
        clear_stack(depth - 1);
    __asm__ volatile("" : : "r"(frame) : "memory");
}

static UNUSED NOINLINE void in_own_frame(void (*step)(void))
{
    step();
    __asm__ volatile("" : : : "memory", "rbx", "r12", "r13", "r14", "r15");
}

/* Runs `step` in a frame of its own, then overwrites what it left there and in registers. */
static UNUSED void run(void (*step)(void))
{
    in_own_frame(step);
    clear_stack(16);
    /* Vector registers are searched, too; memcpy and the like use them. */
    __asm__ volatile("pxor %%xmm0,%%xmm0\n pxor %%xmm1,%%xmm1\n pxor %%xmm2,%%xmm2\n pxor %%xmm3,%%xmm3\n"
                     "pxor %%xmm4,%%xmm4\n pxor %%xmm5,%%xmm5\n pxor %%xmm6,%%xmm6\n pxor %%xmm7,%%xmm7\n"
                     "pxor %%xmm8,%%xmm8\n pxor %%xmm9,%%xmm9\n pxor %%xmm10,%%xmm10\n pxor %%xmm11,%%xmm11\n"
                     "pxor %%xmm12,%%xmm12\n pxor %%xmm13,%%xmm13\n pxor %%xmm14,%%xmm14\n pxor %%xmm15,%%xmm15"
                     : : : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                           "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

/* ---- churn ------------------------------------------------------------------------------------------------------- */

/* Collects, if anybody does, and takes every free slot of the victim's size: a lost victim is overwritten. */
static UNUSED NOINLINE void churn_bytes(size_t bytes)
{
    enum { MANY = 1 << 12 };
    static void **made;
    if (made == NULL)
        NEED((made = (void **)calloc(MANY, sizeof *made)) != NULL);
    for (int round = 0; round < 3; round++) {
        clear_stack(16);
        malloc_trim(0);
        for (int i = 0; i < MANY; i++) {
            made[i] = malloc(bytes);
            NEED(made[i] != NULL);
            memset(made[i], 0xee, bytes);
        }
        for (int i = 0; i < MANY; i++)
            free(made[i]);
        memset(made, 0, MANY * sizeof *made);
    }
}

static UNUSED NOINLINE void churn(void)
{
    churn_bytes(VICTIM_BYTES);
}

/* ---- the verdict ------------------------------------------------------------------------------------------------- */

static UNUSED int verdict(int is_whole)
{
    puts(is_whole ? "survived" : "lost");
    return 0;
}

/* The pointer that was taken back from the place: the victim? It is freed then, as programs do. */
static UNUSED int judge(struct victim *victim)
{
    int is_whole = victim != NULL && victim_is_whole(victim);
    if (is_whole)
        free(victim);
    return verdict(is_whole);
}

#endif
