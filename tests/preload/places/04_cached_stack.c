/* Row 4: the only pointer to a thread's vector of thread-local blocks is in the stack of a thread that has ended, which
 * the C library keeps for the next one.
 * blind: ended,anonymous
 */
#include "preload.h"

#include <dlfcn.h>
#include <pthread.h>

static struct victim **(*place)(void);
static struct victim *expected;

static void *first(void *unused)
{
    NEED(*place() == NULL);
    return unused;
}

static void *second(void *unused UNUSED)
{
    *place() = expected;
    churn();
    return *place();
}

static void *run_thread(void *(*start)(void *))
{
    pthread_t thread;
    void *result;
    NEED((errno = pthread_create(&thread, NULL, start, NULL)) == 0);
    NEED((errno = pthread_join(thread, &result)) == 0);
    return result;
}

int main(int argc, char **argv)
{
    NEED(argc == 1);
    char name[4096];
    snprintf(name, sizeof name, "%.*s.so", (int)(strrchr(argv[0], '-') - argv[0]), argv[0]);
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        GIVE_UP("%s", dlerror());
    NEED((place = (struct victim **(*)(void))dlsym(library, "place")) != NULL);
    run_thread(first);
    for (size_t bytes = 128; bytes <= 640; bytes += 16)
        churn_bytes(bytes);
    expected = victim_new();
    return judge(run_thread(second));
}
