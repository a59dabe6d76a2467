// The allocators of gc_allocator.h, in containers that hold the only addresses of objects.
#include "../c/many.h"
#include <functional>
#include <gc_allocator.h>
#include <list>
#include <map>
#include <string>
#include <utility>
#include <vector>

struct Point {
    double x, y;
};
GC_DECLARE_PTRFREE(Point);

enum { ELEMENTS = 5000 };

static long *number(long value) {
    long *p = (long *)GC_MALLOC_ATOMIC(sizeof(long));
    *p = value;
    return p;
}

static void churn() {
    for (int i = 0; i < 20000; i++) {
        *(void **)GC_MALLOC(16 + i % 200) = 0;
    }
    GC_gcollect();
}

static int kind(const void *p) {
    return GC_get_kind_and_size(GC_base((void *)p), 0);
}

template <class Container> static void fill(Container &container) {
    for (long i = 0; i < ELEMENTS; i++) {
        container.push_back(number(i));
    }
}

template <class Container> static void look(const char *name, const Container &container) {
    long expected = 0;
    for (typename Container::const_iterator i = container.begin(); i != container.end(); ++i) {
        CHECK(**i == expected, "%s: %ld instead of %ld", name, **i, expected);
        expected++;
    }
    CHECK(expected == ELEMENTS, "%s has %ld elements", name, expected);
}

typedef std::vector<long *, gc_allocator<long *> > Vector;
typedef std::vector<long *, gc_allocator_ignore_off_page<long *> > BigVector;
typedef std::list<long *, gc_allocator<long *> > List;
typedef std::vector<long *, traceable_allocator<long *> > TraceableVector;
typedef std::list<long *, traceable_allocator<long *> > TraceableList;
typedef std::basic_string<char, std::char_traits<char>, gc_allocator<char> > String;
typedef std::map<int, String, std::less<int>, gc_allocator<std::pair<const int, String> > > Map;
typedef std::vector<GC_word, gc_allocator<GC_word> > Words;

// Where the collector of Debian's does not look.
struct Hidden {
    TraceableVector vector;
    TraceableList list;
};

static Words words;

static void hide() {
    for (int i = 0; i < MANY; i++) {
        long *object = number(i);
        watch(i, GC_base(object));
        words.push_back((GC_word)object);
    }
}

int main() {
    GC_INIT();
    GC_set_warn_proc(GC_ignore_warn_proc);

    Vector vector;
    BigVector big;
    List list;
    Map map;
    Hidden *hidden = new Hidden;
    fill(vector);
    fill(big);
    fill(list);
    fill(hidden->vector);
    fill(hidden->list);
    for (int i = 0; i < ELEMENTS; i++) {
        map[i * 7 % ELEMENTS] = String(20 + i % 40, char('a' + i % 26));
    }
    churn();
    look("vector", vector);
    look("big vector", big);
    look("list", list);
    look("traceable vector", hidden->vector);
    look("traceable list", hidden->list);
    for (int i = 0; i < ELEMENTS; i++) {
        String expected(20 + i % 40, char('a' + i % 26));
        CHECK(map[i * 7 % ELEMENTS] == expected, "string %d", i);
    }

    CHECK(kind(&vector[0]) == 1 && kind(&big[0]) == 1, "a vector of pointers is of kinds %d and %d", kind(&vector[0]),
          kind(&big[0]));
    CHECK(kind(&hidden->vector[0]) == 2, "a traceable one is of kind %d", kind(&hidden->vector[0]));
    std::vector<Point, gc_allocator<Point> > points(1000);
    std::vector<double, gc_allocator_ignore_off_page<double> > numbers(1000);
    CHECK(kind(&points[0]) == 0 && kind(&numbers[0]) == 0, "those without pointers are of kinds %d and %d", kind(&points[0]),
          kind(&numbers[0]));

    // What they free is free at once.
    TraceableVector *brief = new TraceableVector(100000);
    size_t before = GC_get_expl_freed_bytes_since_gc();
    delete brief;
    CHECK(GC_get_expl_freed_bytes_since_gc() >= before + 800000, "a traceable vector is not freed");

    // Addresses in a vector of words keep nothing.
    elsewhere(hide);
    CHECK(living() <= FEW, "%d of %d are kept by words", living(), MANY);
    delete hidden;

    gc_allocator<int> one, other((gc_allocator<char>()));
    CHECK(one == other && !(one != other), "two allocators differ");
    CHECK(traceable_allocator<int>() == traceable_allocator<int>(), "two traceable allocators differ");
    CHECK(one.max_size() == size_t(-1) / sizeof(int), "the biggest size");
    gc_allocator<char>::rebind<double>::other rebound;
    double *d = rebound.allocate(3);
    CHECK(GC_size(GC_base(d)) >= 3 * sizeof(double), "three numbers");
    rebound.deallocate(d, 3);
    int thrown = 0;
    try {
        one.allocate(size_t(1) << 58);
    } catch (const std::bad_alloc &) {
        thrown++;
    }
    try {
        traceable_allocator<long>().allocate(size_t(1) << 57);
    } catch (const std::bad_alloc &) {
        thrown++;
    }
    CHECK(thrown == 2, "%d of 2 absurd sizes throw", thrown);
    return 0;
}
