// new with GC, NoGC and their kin, for types that know nothing of it.
#define GC_ATOMIC_UNCOLLECTABLE
#include "../c/many.h"
#include <gc_cpp.h>

struct Foreign {
    Foreign *next;
    long value;
    explicit Foreign(long v = 7) : next(0), value(v) {}
};

struct Throws {
    long room[100000];
    explicit Throws(bool really) {
        room[0] = 1;
        if (really) {
            throw 5;
        }
    }
};

struct Gc : public gc {
    long value;
    Gc() : value(9) {}
};

static int kind(const void *p) {
    return GC_get_kind_and_size(GC_base((void *)p), 0);
}

static int called;
static long sum;

extern "C" void GC_CALLBACK count(void *object, void *word) {
    called++;
    sum += static_cast<Foreign *>(object)->value + (long)word;
}

static void allocate() {
    for (int i = 0; i < MANY; i++) {
        new (GC, count, (void *)10) Foreign(1);
    }
}

static void leave() {
    for (int i = 0; i < MANY; i++) {
        watch(i, GC_base(new (GC) Foreign(i)));
    }
}

static void keep() {
    for (int i = 0; i < MANY; i++) {
        watch(i, GC_base(new (NoGC) Foreign(i)));
    }
}

template <class T> static void kinds(const char *name) {
    CHECK(kind(new (GC) T) == 1 && kind(new (UseGC) T) == 1, "%s: GC", name);
    CHECK(kind(new (GC) T[100]) == 1, "%s: GC, an array", name);
    CHECK(kind(new (PointerFreeGC) T) == 0 && kind(new (PointerFreeGC) T[100]) == 0, "%s: PointerFreeGC", name);
    CHECK(kind(new (NoGC) T) == 2 && kind(new (NoGC) T[100]) == 2, "%s: NoGC", name);
    CHECK(kind(new (PointerFreeNoGC) T) == 3 && kind(new (PointerFreeNoGC) T[100]) == 3, "%s: PointerFreeNoGC", name);
}

int main() {
    GC_INIT();
    kinds<Foreign>("a foreign type");
    kinds<Gc>("a class gc");
    CHECK(kind(new Gc) == 1 && kind(new Gc[100]) == 1, "a class gc, plain");

    long room[8];
    Gc *placed = new (room) Gc;
    CHECK((void *)placed == (void *)room && placed->value == 9, "new at an address");

    elsewhere(leave);
    CHECK(living() <= FEW, "%d of %d objects are left", living(), MANY);
    forget_all();
    elsewhere(keep);
    CHECK(living() == MANY, "%d of %d that are not collected are left", living(), MANY);
    forget_all();

    elsewhere(allocate);
    for (int i = 0; i < 3; i++) {
        wipe_stack();
        GC_gcollect();
        GC_invoke_finalizers();
    }
    CHECK(called >= MANY - FEW && called <= MANY, "%d functions were called", called);
    CHECK(sum == 11L * called, "with other words: %ld for %d", sum, called);

    // The memory of one whose constructor throws is free at once.
    size_t before = GC_get_expl_freed_bytes_since_gc();
    int caught = 0;
    (void)before;
    for (int i = 0; i < 2; i++) {
        try {
            i == 0 ? new (GC) Throws(true) : new (NoGC) Throws(true);
        } catch (int) {
            caught++;
        }
    }
    CHECK(caught == 2, "%d of 2 constructors have thrown", caught);
#ifndef GC_DEBUG
    // What was allocated for debugging may be kept for later checks.
    CHECK(GC_get_expl_freed_bytes_since_gc() >= before + 2 * sizeof(Throws), "their memory is not freed");
#endif
    return 0;
}
