/* What cannot be read is refused by the kernel, whatever the library looks at before: messages, parts, headers and events
 * in memory that is not there, that is closed, and on the edge of it.
 */
#include "preload.h"

#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { PAGE = 4096 };
static _Alignas(PAGE) char own[3 * PAGE] = {1};
static int ends[2], set;

static void say(const char *call, const char *where, long result)
{
    printf("%s %s: %ld %s\n", call, where, result, result < 0 ? strerror(errno) : "");
}

/* All that is called with 64 bytes at `at`. */
static void call_all(const char *where, void *at)
{
    struct iovec parts[2] = {{"head", 4}, {at, 40}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    say("write", where, write(ends[1], at, 64));
    say("write 8", where, write(ends[1], at, 8));
    say("send", where, send(ends[1], at, 64, 0));
    say("sendto", where, sendto(ends[1], at, 64, 0, NULL, 0));
    say("writev", where, writev(ends[1], parts, 2));
    say("sendmsg", where, sendmsg(ends[1], &header, 0));
    /* As parts, as a header, as an event. */
    say("parts", where, writev(ends[1], at, 3));
    header.msg_iov = at;
    say("parts of a message", where, sendmsg(ends[1], &header, 0));
    say("header", where, sendmsg(ends[1], at, 0));
    say("epoll_ctl", where, epoll_ctl(set, EPOLL_CTL_ADD, ends[0], at));
    say("epoll_ctl", where, epoll_ctl(set, EPOLL_CTL_DEL, ends[0], NULL));
}

int main(void)
{
    char *three = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *objects = aligned_alloc(PAGE, 3 * PAGE), *small = malloc(64);
    NEED(three != MAP_FAILED && objects != NULL && small != NULL);
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && (set = epoll_create1(0)) >= 0);
    memset(small, 0, 64);
    memset(objects, 0, 3 * PAGE);
    call_all("object", small);
    call_all("static data", own + PAGE - 32);
    call_all("mapping", three + PAGE - 32);
    call_all("heap", objects + PAGE - 32);

    call_all("far away", (void *)(uintptr_t)0xfffffffffffffff0);
    call_all("no address", (void *)(uintptr_t)0x8000000000000000);
    call_all("first page", (void *)(uintptr_t)16);
    NEED(munmap(three + PAGE, PAGE) == 0);
    call_all("unmapped", three + PAGE);
    call_all("before unmapped", three + PAGE - 32);
    call_all("after unmapped", three + 2 * PAGE - 32);
    NEED(mprotect(own + PAGE, PAGE, PROT_NONE) == 0 && mprotect(objects + PAGE, PAGE, PROT_NONE) == 0);
    call_all("closed static data", own + PAGE);
    call_all("before closed static data", own + PAGE - 32);
    call_all("closed part of the heap", objects + PAGE);
    call_all("before a closed part of the heap", objects + PAGE - 32);
    NEED(mprotect(own + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
    NEED(mprotect(objects + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
    free(objects);
    return 0;
}
