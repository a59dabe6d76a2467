/*
 * Plugins are opened, used and closed in a loop by two threads, while two others allocate and collect. Each plugin's
 * data, zeroed data and thread-local storage (of the thread that opened it, and of a second one) hold the only
 * pointers to chains for a while.
 *
 * Shows: the roots of a shared object count from its constructor to its destructor, no collection reads one that is
 *        gone, and collecting beside dlopen and dlclose ends (the loader's lock and ours are taken in one order).
 *
 *     dlopen_loop [--loops N] PLUGIN.so...        one file an opening thread, at least two
 *
 * The files are copies of one shared object: the loader would open the same file only once.
 */
#include "dlopen_plugin.h"

#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>

enum { COLLECTING = 2, OPENING_MAX = 8, DEADLINE_SECONDS = 180 };

static unsigned long loops;
static atomic_int opening_left;

/* The functions of one opened plugin. */
struct plugin {
    void *handle;
    void (*fill)(uint64_t), (*check)(uint64_t), (*fill_tls)(uint64_t), (*check_tls)(uint64_t);
};

static void *function_of(void *handle, const char *name)
{
    void *function = dlsym(handle, name);
    if (function == NULL)
        die("dlsym: %s", dlerror());
    return function;
}

static struct plugin plugin_open(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        die("dlopen: %s", dlerror());
    return (struct plugin){ handle, (void (*)(uint64_t))function_of(handle, "plugin_fill"),
                            (void (*)(uint64_t))function_of(handle, "plugin_check"),
                            (void (*)(uint64_t))function_of(handle, "plugin_fill_tls"),
                            (void (*)(uint64_t))function_of(handle, "plugin_check_tls") };
}

/* The second thread that has storage of the plugin: fills it, lets the opener collect, checks it, twice. */
struct visitor {
    struct plugin plugin;
    uint64_t seed;
    pthread_barrier_t meeting;
};

static void *visit(void *data)
{
    struct visitor *visitor = data;
    visitor->plugin.fill_tls(visitor->seed);
    stack_clear();
    pthread_barrier_wait(&visitor->meeting);        /* filled */
    pthread_barrier_wait(&visitor->meeting);        /* collected */
    visitor->plugin.check_tls(visitor->seed);
    return NULL;
}

static void use_plugin(struct plugin plugin, uint64_t seed)
{
    struct visitor visitor = { .plugin = plugin, .seed = seed + 3 };
    pthread_barrier_init(&visitor.meeting, NULL, 2);
    pthread_t thread = thread_start(visit, &visitor);
    plugin.fill(seed);
    plugin.fill_tls(seed + 2);
    stack_clear();
    pthread_barrier_wait(&visitor.meeting);
    door_collect();
    chain_free(chain_new(seed + 4, 1000));          /* what was wrongly taken back is overwritten by this */
    pthread_barrier_wait(&visitor.meeting);
    plugin.check(seed);
    plugin.check_tls(seed + 2);
    thread_join(thread);
    pthread_barrier_destroy(&visitor.meeting);
}

static void *open_often(void *data)
{
    const char *path = data;
    for (uint64_t loop = 0; loop < loops; loop++) {
        struct plugin plugin = plugin_open(path);
        use_plugin(plugin, 10 * loop);
        if (dlclose(plugin.handle) != 0)
            die("dlclose: %s", dlerror());
    }
    atomic_fetch_sub(&opening_left, 1);
    return NULL;
}

/* A callback of the loader's own walk allocates with its lock held. */
static int count_object(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)info;
    (void)size;
    struct cell **chain = data;
    *chain = cell_new(*chain, 0, 0);
    return 0;
}

static void *collect_often(void *data)
{
    uint64_t seed = 1u << 30, rounds = 0;
    struct cell *mine = chain_new(seed, 5000);
    for (; atomic_load(&opening_left) > 0; rounds++) {
        struct cell *seen = NULL;
        (void)chain_new(seed + 1, 5000);
        dl_iterate_phdr(count_object, &seen);
        chain_free(seen);
        door_collect();
        chain_check(mine, seed, 5000, "thread that collects");
    }
    (void)data;
    return (void *)(uintptr_t)rounds;
}

int main(int argc, char **argv)
{
    pthread_t opening[OPENING_MAX], collecting[COLLECTING];
    uintptr_t rounds = 0;
    int files = 0;
    deadline(DEADLINE_SECONDS);
    loops = argument(argc, argv, "--loops", 500);
    for (int i = argc - 1; i > 0 && strchr(argv[i], '/') != NULL; i--)
        files++;
    if (files < 2 || files > OPENING_MAX)
        die("give 2 to %d paths of plugins, not %d", OPENING_MAX, files);
    double started = now_s();
    atomic_store(&opening_left, files);
    for (int i = 0; i < files; i++)
        opening[i] = thread_start(open_often, argv[argc - 1 - i]);
    for (int i = 0; i < COLLECTING; i++)
        collecting[i] = thread_start(collect_often, NULL);
    for (int i = 0; i < files; i++)
        thread_join(opening[i]);
    for (int i = 0; i < COLLECTING; i++)
        rounds += (uintptr_t)thread_join(collecting[i]);
    printf("dlopen_loop: door=%s plugins=%d loops=%lu rounds_beside=%lu seconds=%.1f collections=%lu\n", DOOR, files,
           loops, (unsigned long)rounds, now_s() - started, door_collections());
    return 0;
}
