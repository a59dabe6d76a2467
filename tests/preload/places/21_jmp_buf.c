/* Row 21: the only pointer is the frame pointer that setjmp has mangled, in a buffer in static data.
 * blind: mangled
 */
#include "preload.h"

#include <setjmp.h>

static jmp_buf buffer;

/* setjmp with the frame pointer as it is given; nobody jumps back. */
__attribute__((__naked__, __noinline__)) static void set(UNUSED struct __jmp_buf_tag *at, UNUSED void *frame_pointer)
{
    __asm__("pushq %rbp\n movq %rsi, %rbp\n xorl %esi, %esi\n call _setjmp@PLT\n popq %rbp\n ret");
}

static void put(void)
{
    set(buffer, victim_new());
}

/* As glibc keeps it: the second word. */
static NOINLINE void *frame_pointer(void)
{
    uintptr_t secret, word = (uintptr_t)buffer[0].__jmpbuf[1];
    __asm__("movq %%fs:0x30, %0" : "=r"(secret));
    return (void *)((word >> 17 | word << 47) ^ secret);
}

int main(void)
{
    run(put);
    churn();
    return judge(frame_pointer());
}
