/* What a finalizer is passed is often allocated just after its object, where the object ends: it stays until the finalizer
 * has run, and keeps the object from nothing. */
#include "many.h"
#include <javaxfc.h>

struct data {
    int number;
};

static int runs[MANY];

static void finalize(void *object, void *data) {
    const struct data *passed = data;
    CHECK(GC_base(data) == data && passed->number >= 0 && passed->number < MANY, "the data is there");
    CHECK(*(int *)object == passed->number, "object %d with data %d", *(int *)object, passed->number);
    runs[passed->number]++;
}

static size_t bytes;

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        int *object = GC_malloc(bytes);
        struct data *data = GC_malloc(bytes);
        *object = data->number = i;
        GC_register_finalizer_no_order(object, finalize, data, NULL, NULL);
        watch(i, object);
    }
}

int main(void) {
    static const size_t sizes[] = {8, 15, 40, 48, 100, 496, 2047};
    GC_INIT();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int count = 0;
        bytes = sizes[i];
        memset(runs, 0, sizeof runs);
        elsewhere(make);
        int left = living();
        CHECK(left <= FEW, "%zu bytes: %d of %d left", bytes, left, MANY);
        GC_invoke_finalizers();
        for (int j = 0; j < MANY; j++) {
            CHECK(runs[j] <= 1, "%zu bytes: finalizer %d has run %d times", bytes, j, runs[j]);
            count += runs[j];
        }
        CHECK(count >= MANY - FEW, "%zu bytes: %d of %d have run", bytes, count, MANY);
        GC_finalize_all();
        forget_all();
    }
    return 0;
}
