/* Row 4: the only pointers are in thread-local variables of a library that was opened later, one of the thread that
 * opened it and one of another.
 * blind: control,anonymous
 */
#include "preload.h"

#include <dlfcn.h>
#include <pthread.h>

static struct victim **(*place)(void);
static pthread_barrier_t stored, collected;

static void put(void)
{
    *place() = victim_new();
}

static void *other(void *unused UNUSED)
{
    run(put);
    pthread_barrier_wait(&stored);
    pthread_barrier_wait(&collected);
    return (void *)(uintptr_t)victim_is_whole(*place());
}

int main(int argc, char **argv)
{
    NEED(argc == 1);
    char name[4096];
    pthread_t thread;
    void *is_whole;
    snprintf(name, sizeof name, "%.*s.so", (int)(strrchr(argv[0], '-') - argv[0]), argv[0]);
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        GIVE_UP("%s", dlerror());
    NEED((place = (struct victim **(*)(void))dlsym(library, "place")) != NULL);
    pthread_barrier_init(&stored, NULL, 2);
    pthread_barrier_init(&collected, NULL, 2);
    NEED((errno = pthread_create(&thread, NULL, other, NULL)) == 0);
    run(put);
    pthread_barrier_wait(&stored);
    churn();
    pthread_barrier_wait(&collected);
    NEED((errno = pthread_join(thread, &is_whole)) == 0);
    return verdict(victim_is_whole(*place()) && is_whole != NULL);
}
