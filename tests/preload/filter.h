/* Filters of system calls: lists of numbers that pass, or that end the process, and programs made of them. */
#ifndef FILTER_H
#define FILTER_H

#include "preload.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { FILTER_CALLS_MAX = 64 };

/* The calls of `listed`, `count` of them, have the first action, all others the second. */
static UNUSED struct sock_fprog filter_of(const int *listed, int count, unsigned action, unsigned others)
{
    static struct sock_filter code[FILTER_CALLS_MAX + 3];
    int length = 0;
    NEED(count <= FILTER_CALLS_MAX);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < count; i++)
        code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)listed[i], count - i, 0);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, others);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
    return (struct sock_fprog){.len = (unsigned short)length, .filter = code};
}

/* What a program may still call that wants memory, and to say how it went. */
static UNUSED struct sock_fprog filter_of_memory(void)
{
    static const int calls[] = {SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise,
                                SYS_brk,  SYS_futex,  SYS_write,  SYS_exit,     SYS_exit_group};
    return filter_of(calls, sizeof calls / sizeof calls[0], SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS);
}

/* Allocates by every way, in all sizes, keeps some, frees some, and looks whether all is whole. */
static UNUSED int allocates(void)
{
    enum { MANY = 2000, ROUNDS = 40 };
    static unsigned char *made[MANY];
    static size_t bytes[MANY];
    unsigned seed = 1;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < MANY; i++) {
            seed = seed * 1103515245 + 12345;
            size_t wanted = (seed >> 16) % 5 == 0 ? (seed >> 8) % 100000 : (seed >> 16) % 600;
            if (made[i] != NULL && made[i][0] != (unsigned char)bytes[i])
                return 0;
            switch ((seed >> 20) % 4) {
            case 0:
                free(made[i]);
                made[i] = malloc(wanted + 1);
                break;
            case 1:
                made[i] = realloc(made[i], wanted + 1);
                break;
            case 2:
                /* Lost, for a collector to find. */
                made[i] = calloc(1, wanted + 1);
                break;
            default:
                free(made[i]);
                made[i] = memalign(64, wanted + 1);
                break;
            }
            if (made[i] == NULL)
                return 0;
            bytes[i] = wanted;
            made[i][0] = (unsigned char)wanted;
        }
        free(malloc(3 << 20));
        malloc_trim(0);
    }
    return 1;
}

#endif
