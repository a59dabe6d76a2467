/* A program that asks for faults of its own, in a large mapping that collections have asked about until then: it gets them,
 * and what it puts there is found.
 * says: gleaner: large mappings are read in each collection from now on: the program uses userfaultfd itself
 */
#include "unchanged.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

static void put(void)
{
    *large_page(1000) = (uintptr_t)victim_new();
}

int main(void)
{
    enum { USER_MODE_ONLY = 1 };
    struct uffdio_api api = {.api = UFFD_API};
    large_make(NULL);
    struct uffdio_register all = {.range = {(uintptr_t)large, LARGE_BYTES}, .mode = UFFDIO_REGISTER_MODE_MISSING};
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | USER_MODE_ONLY);
    printf("opened: %d\n", fd >= 0);
    if (fd >= 0) {
        NEED(ioctl(fd, UFFDIO_API, &api) == 0);
        printf("registered: %s\n", ioctl(fd, UFFDIO_REGISTER, &all) == 0 ? "yes" : strerror(errno));
    }
    malloc_trim(0);
    run(put);
    churn();
    return judge((struct victim *)*large_page(1000));
}
