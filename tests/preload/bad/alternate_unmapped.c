/* A program whose main thread's alternate stack is unmapped by another thread, while the kernel still has it: as the standard
 * library of Rust does when a thread calls exit. No signal of the program's comes; the main thread is stopped all the same.
 */
#include "workers.h"

#include <signal.h>
#include <sys/mman.h>

enum { STACK_BYTES = 64 << 10, COLLECTIONS = 50 };

static void *stack;
static volatile int is_over;

static void *end(void *unused)
{
    NEED(munmap(stack, STACK_BYTES) == 0);
    for (int i = 0; i < COLLECTIONS; i++) {
        free(malloc(100));
        malloc_trim(0);
    }
    is_over = 1;
    return unused;
}

int main(void)
{
    pthread_t thread;
    stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(stack != MAP_FAILED);
    stack_t alternate = {.ss_sp = stack, .ss_size = STACK_BYTES};
    NEED(sigaltstack(&alternate, NULL) == 0);
    NEED((errno = pthread_create(&thread, NULL, end, NULL)) == 0);
    while (!is_over) {
    }
    pthread_join(thread, NULL);
    puts("done");
    return 0;
}
