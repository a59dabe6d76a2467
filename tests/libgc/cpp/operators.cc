// The operators of libgccpp: whatever the program and the C++ library allocate is searched, and lives until it is deleted.
// link: -lgccpp
#include "../c/many.h"
#include <gc_cpp.h>
#include <list>
#include <map>
#include <new>
#include <string>
#include <vector>

struct Plain : public gc {
    long value;
    explicit Plain(long v) : value(v) {}
};

static void churn() {
    for (int i = 0; i < 20000; i++) {
        new Plain(i);
    }
    GC_gcollect();
}

static int kind(const void *p) {
    return GC_get_kind_and_size(GC_base((void *)p), 0);
}

struct Virtual {
    long rest[9];
    virtual ~Virtual() {}
};
struct More : public Virtual {
    long more[20];
};

int main() {
    GC_INIT();
    GC_set_warn_proc(GC_ignore_warn_proc);

    // Standard containers hold the only addresses.
    std::vector<Plain *> *vector = new std::vector<Plain *>;
    std::list<Plain *> list;
    std::map<std::string, Plain *> map;
    for (long i = 0; i < 3000; i++) {
        vector->push_back(new Plain(i));
        list.push_back(new Plain(i));
        map[std::string(30, 'a') + char('a' + i % 26) + std::string(size_t(i / 26 % 50), 'b')] = new Plain(i);
    }
    churn();
    long expected = 0;
    for (std::list<Plain *>::iterator i = list.begin(); i != list.end(); ++i, expected++) {
        CHECK((*i)->value == expected, "list: %ld instead of %ld", (*i)->value, expected);
        CHECK((*vector)[size_t(expected)]->value == expected, "vector: %ld", expected);
    }
    for (std::map<std::string, Plain *>::iterator i = map.begin(); i != map.end(); ++i) {
        CHECK(i->second->value % 26 == i->first[30] - 'a', "map: %s", i->first.c_str());
    }
    delete vector;

    long *single = new long(1), *array = new long[100000];
    CHECK(kind(single) == 2 && kind(array) == 2, "new makes kinds %d and %d", kind(single), kind(array));
    Plain *plain = new Plain(3);
    CHECK(kind(plain) == 1, "class gc is of kind %d", kind(plain));
    size_t before = GC_get_expl_freed_bytes_since_gc();
    delete single;
    delete[] array;
    Virtual *object = new More;
    delete object;
    CHECK(GC_get_expl_freed_bytes_since_gc() >= before + 800000, "delete frees nothing");
    delete (long *)0;

    volatile size_t absurd = size_t(1) << 60;
    int thrown = 0;
    for (int i = 0; i < 2; i++) {
        try {
            void *p = i == 0 ? ::operator new(absurd) : ::operator new[](absurd);
            CHECK(p == 0, "there is memory for 2^60 bytes");
        } catch (const std::bad_alloc &) {
            thrown++;
        }
    }
    CHECK(thrown == 2, "%d of 2 absurd sizes throw", thrown);
    CHECK(::operator new(absurd, std::nothrow) == 0, "new that does not throw");

    try {
        throw std::string(1000, 'x');
    } catch (const std::string &text) {
        GC_gcollect();
        CHECK(text == std::string(1000, 'x'), "what was thrown");
    }
    return 0;
}
