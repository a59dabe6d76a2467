/* Hidden pointers that some threads make strong under the lock while others drop the objects and collect: whoever finds a
 * pointer finds an object that is whole. */
#include "many.h"

enum { THREADS = 3, ROUNDS = 20000, PLACES = 256 };

struct object {
    size_t serial, proof;
};

static GC_word places[PLACES];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static size_t found, missed;

static void *GC_CALLBACK reveal(void *place) {
    GC_word hidden = *(volatile GC_word *)place;
    /* A while in which only the lock keeps the object. */
    for (volatile int i = 0; i < 200; i++)
        ;
    return hidden == 0 ? NULL : SEEN(hidden);
}

static void *walk(void *argument) {
    size_t state = (size_t)argument * 2654435761u + 1;
    for (int round = 0; round < ROUNDS; round++) {
        size_t place;
        struct object *object;
        state = state * 6364136223846793005u + 1442695040888963407u;
        place = state >> 33 & (PLACES - 1);
        object = GC_call_with_alloc_lock(reveal, &places[place]);
        if (object != NULL) {
            CHECK(GC_base(object) == object && object->proof == object->serial * 31 + 7, "an object that is gone was found");
            __atomic_add_fetch(&found, 1, __ATOMIC_RELAXED);
        } else {
            __atomic_add_fetch(&missed, 1, __ATOMIC_RELAXED);
            object = GC_malloc_atomic(sizeof *object);
            object->serial = state;
            object->proof = state * 31 + 7;
            pthread_mutex_lock(&mutex);
            GC_unregister_disappearing_link((void **)&places[place]);
            places[place] = HIDDEN(object);
            CHECK(GC_general_register_disappearing_link((void **)&places[place], object) == GC_SUCCESS, "a link");
            pthread_mutex_unlock(&mutex);
        }
        if (round % 500 == 0)
            GC_gcollect();
    }
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    GC_INIT();
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, walk, (void *)(i + 1)) == 0, "a thread");
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(found > 1000 && missed > 1000, "%zu found, %zu missed", found, missed);
    return 0;
}
