// The classes of gc_cpp.h: which destructors run, how often, and what they find.
#include "../c/many.h"
#include <gc_cpp.h>

struct Plain : public gc {
    Plain *next;
    long value;
    Plain(Plain *n, long v) : next(n), value(v) {}
};

static int bases, cleaned, derived, members, outers, selves, cycles, inherited;

struct Base {
    long weight;
    Base() : weight(1) {}
    virtual ~Base() {
        bases++;
    }
};

struct Cleaned : public gc_cleanup {
    virtual ~Cleaned() {
        cleaned++;
    }
};

// The part with the finalizer does not lie at its start, and both destructors are virtual.
struct Derived : public Base, public Cleaned {
    virtual ~Derived() {
        derived++;
    }
};

// Two ways to the same virtual base.
struct Left : virtual public gc_cleanup {
    long l;
};
struct Right : virtual public gc_cleanup {
    long r;
};
struct Both : public Left, public Right {
    ~Both() {
        inherited++;
    }
};

struct Member : public gc_cleanup {
    ~Member() {
        members++;
    }
};

// Has a member that has a finalizer itself, and refers to another object, which must be whole when the destructor runs.
struct Inner : public gc_cleanup {
    long alive;
    Inner() : alive(12345) {}
    ~Inner() {
        alive = 0;
    }
};
struct Outer : public gc_cleanup {
    Member member;
    Inner *inner;
    Outer() : inner(new Inner) {}
    ~Outer() {
        CHECK(inner->alive == 12345, "a destructor ran before that of the object that refers to it");
        outers++;
    }
};

struct Self : public gc_cleanup {
    Self *self;
    Self() : self(this) {}
    ~Self() {
        selves++;
    }
};
struct Cycle : public gc_cleanup {
    Cycle *other;
    ~Cycle() {
        cycles++;
    }
};

static void allocate() {
    for (int i = 0; i < MANY; i++) {
        new Derived;
        new Both;
        new Outer;
        new Self;
        Cycle *a = new Cycle, *b = new Cycle;
        a->other = b;
        b->other = a;
    }
}

static void leave() {
    for (int i = 0; i < MANY; i++) {
        watch(i, GC_base(new Plain(0, i)));
    }
}

int main() {
    GC_INIT();

    Plain *list = 0;
    for (long i = 0; i < 100000; i++) {
        list = new Plain(list, i);

    }
    GC_gcollect();
    long expected = 100000;
    for (Plain *p = list; p != 0; p = p->next) {
        CHECK(p->value == --expected, "%ld instead of %ld in a list", p->value, expected);
    }
    CHECK(expected == 0, "a list ends after %ld", 100000 - expected);

    elsewhere(leave);
    CHECK(living() <= FEW, "%d of %d objects of class gc are left", living(), MANY);

    elsewhere(allocate);
    for (int i = 0; i < 5; i++) {
        wipe_stack();
        GC_gcollect();
        GC_invoke_finalizers();
    }
    CHECK(derived >= MANY - FEW && derived <= MANY, "%d destructors of Derived", derived);
    CHECK(bases == derived && cleaned == derived, "%d and %d of its bases", bases, cleaned);
    CHECK(inherited >= MANY - FEW && inherited <= MANY, "%d with a virtual base", inherited);
    CHECK(outers >= MANY - FEW && outers <= MANY, "%d that have members", outers);
    CHECK(members == outers, "%d members", members);
    CHECK(selves >= MANY - FEW && selves <= MANY, "%d that refer to themselves", selves);
    CHECK(cycles == 0, "%d in cycles: which was the first?", cycles);

    // One that is deleted has no finalizer left; those outside the heap never had one.
    int before = cleaned;
    delete new Derived;
    {
        Derived on_stack;
        static Derived in_static_data;
        (void)&in_static_data;
    }
    CHECK(cleaned == before + 2, "%d destructors by delete and at the end of a block", cleaned - before);
    GC_gcollect();
    GC_invoke_finalizers();
    CHECK(cleaned <= before + 2 + FEW, "one that was deleted is destroyed again");
    return 0;
}
