/* Row 4: the only pointer is in a thread-local variable of a library that was opened after the thread had begun: its
 * vector of such blocks grows when it first uses the variable.
 * blind: control
 */
#include "preload.h"

#include <dlfcn.h>
#include <pthread.h>

static struct victim **(*place)(void);
static pthread_barrier_t turn;

static void put(void)
{
    *place() = victim_new();
}

static void *other(void *unused)
{
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    run(put);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    judge(*place());
    return unused;
}

int main(int argc, char **argv)
{
    NEED(argc == 1);
    char name[4096];
    pthread_t thread;
    pthread_barrier_init(&turn, NULL, 2);
    NEED((errno = pthread_create(&thread, NULL, other, NULL)) == 0);
    pthread_barrier_wait(&turn);
    snprintf(name, sizeof name, "%.*s.so", (int)(strrchr(argv[0], '-') - argv[0]), argv[0]);
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        GIVE_UP("%s", dlerror());
    NEED((place = (struct victim **(*)(void))dlsym(library, "place")) != NULL);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    churn();
    pthread_barrier_wait(&turn);
    pthread_join(thread, NULL);
    return 0;
}
