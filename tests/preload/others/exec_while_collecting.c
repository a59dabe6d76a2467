/* A thread that has blocked all signals, but for those of the C library, becomes another program while collections try to stop
 * it: it is in that call for long, since its arguments are in memory that comes late. What it is sent meanwhile must not
 * meet the other program.
 * needs: test "$(id -u)" = 0
 * says: gleaner: a collection was given up
 */
#include "preload.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { PAGE = 4096, COLLECTIONS = 2 };

static int faults;

/* Brings the memory once somebody waits for it, and collections have been tried. */
static void *bring(void *unused)
{
    struct uffd_msg message;
    NEED(read(faults, &message, sizeof message) == sizeof message && message.event == UFFD_EVENT_PAGEFAULT);
    for (int i = 0; i < COLLECTIONS; i++)
        malloc_trim(0);
    struct uffdio_zeropage page = {.range = {message.arg.pagefault.address & ~(unsigned long long)(PAGE - 1), PAGE}};
    NEED(ioctl(faults, UFFDIO_ZEROPAGE, &page) == 0);
    return unused;
}

int main(int count, char **arguments)
{
    if (count > 1) {
        puts("another program");
        return 0;
    }
    struct uffdio_api api = {.api = UFFD_API};
    char *late = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_register all = {.range = {(uintptr_t)late, PAGE}, .mode = UFFDIO_REGISTER_MODE_MISSING};
    pthread_t thread;
    NEED(late != MAP_FAILED && (faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC)) >= 0);
    NEED(ioctl(faults, UFFDIO_API, &api) == 0 && ioctl(faults, UFFDIO_REGISTER, &all) == 0);
    NEED((errno = pthread_create(&thread, NULL, bring, NULL)) == 0);
    /* Behind the library's back, which would leave its own signal open. */
    uint64_t all_but_internal = ~(3ull << 31);
    NEED(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all_but_internal, NULL, sizeof all_but_internal) == 0);
    char *become[] = {arguments[0], late, NULL};
    execv("/proc/self/exe", become);
    GIVE_UP("execv");
}
