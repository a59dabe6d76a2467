/* A process in a namespace of processes whose /proc is another's: the threads there are listed under other ids. The only
 * pointer is in a register of a thread that nobody has announced: it was made by the C library's own function.
 * needs: unshare --pid --fork true
 * says: a collection was given up
 */
#include "holder.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <threads.h>

int main(void)
{
    NEED(unshare(CLONE_NEWPID) == 0);
    pid_t process = fork();
    NEED(process >= 0);
    if (process == 0) {
        thrd_t thread;
        void *library = dlopen("libc.so.6", RTLD_LAZY);
        int (*create)(thrd_t *, thrd_start_t, void *);
        NEED(library != NULL && (*(void **)&create = dlsym(library, "thrd_create")) != NULL);
        run(make_hidden);
        NEED(create(&thread, holder, NULL) == thrd_success);
        churn_beside_holder();
        thrd_join(thread, NULL);
        int result = judge(reveal(shared.hidden));
        fflush(stdout);
        _exit(result);
    }
    int status;
    NEED(waitpid(process, &status, 0) == process && status == 0);
    return 0;
}
