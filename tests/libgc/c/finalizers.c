/* The four orders of finalizers, on pairs of which the first leads to the second, or an object to itself; and who runs
 * them when. */
#include "many.h"
#include <javaxfc.h>

static int counts[2];
typedef void how_to_set(void *object, GC_finalization_proc, void *data, GC_finalization_proc *, void **);
static how_to_set *set_on, *set_on_second;
static int to_second, to_itself, to_first;

static void finalize(void *object, void *data) {
    CHECK(GC_base(object) == object, "the object is there");
    ++*(int *)data;
}

static void normal(void *o, GC_finalization_proc f, void *d, GC_finalization_proc *of, void **od) {
    GC_register_finalizer(o, f, d, of, od);
}
static void ignore_self(void *o, GC_finalization_proc f, void *d, GC_finalization_proc *of, void **od) {
    GC_register_finalizer_ignore_self(o, f, d, of, od);
}
static void no_order(void *o, GC_finalization_proc f, void *d, GC_finalization_proc *of, void **od) {
    GC_register_finalizer_no_order(o, f, d, of, od);
}
static void unreachable(void *o, GC_finalization_proc f, void *d, GC_finalization_proc *of, void **od) {
    GC_register_finalizer_unreachable(o, f, d, of, od);
}

static void make(void) {
    for (int i = 0; i < MANY; i++) {
        void **one = GC_malloc(40), **two = GC_malloc(40);
        if (to_second)
            one[0] = two;
        if (to_itself)
            one[1] = one;
        if (to_first)
            two[0] = one;
        set_on(one, finalize, &counts[0], NULL, NULL);
        (set_on_second ? set_on_second : set_on)(two, finalize, &counts[1], NULL, NULL);
    }
}

/* Of many unreachable ones bdwgc takes some only in a later collection. */
enum { SOME = 2 };

/* How many of either sort the first collection has run; ends with none left. */
static void expect(const char *name, how_to_set *how, int second, int itself, int first_runs, int second_runs) {
    set_on = how, to_second = second, to_itself = itself;
    counts[0] = counts[1] = 0;
    elsewhere(make);
    living();
    GC_invoke_finalizers();
    int least = first_runs == SOME ? 10 : MANY - FEW;
    CHECK(first_runs ? counts[0] >= least : counts[0] <= FEW, "%s: first %d of %d", name, counts[0], MANY);
    CHECK(second_runs ? counts[1] >= MANY - FEW : counts[1] <= FEW, "%s: second %d of %d", name, counts[1], MANY);
    GC_finalize_all();
    CHECK(counts[0] == MANY && counts[1] == MANY, "%s: all: %d, %d", name, counts[0], counts[1]);
    CHECK(!GC_should_invoke_finalizers(), "none waits");
}

/* The same where the second of a pair has another order, in rows and in circles. */
static void expect_two(const char *name, how_to_set *how, how_to_set *how_second, int first_runs, int second_runs,
                       int run_in_circles) {
    set_on_second = how_second;
    expect(name, how, 1, 0, first_runs, second_runs);
    to_first = 1;
    expect(name, how, 1, 0, run_in_circles, run_in_circles);
    to_first = 0;
    set_on_second = NULL;
}

static int awaited;

static void await(void *object) {
    CHECK(GC_base(object) == object, "the object is there");
    awaited++;
}

static int notified;

static void note(void) {
    notified++;
}

static void make_a_few(void) {
    set_on = no_order;
    make();
}

int main(void) {
    GC_finalization_proc old;
    void *object, *data;
    GC_INIT();
    GC_set_finalize_on_demand(1);
    /* What is told of the one before. */
    object = GC_malloc(40);
    GC_register_finalizer(object, finalize, &counts[0], &old, &data);
    CHECK(old == 0 && data == NULL, "none before");
    GC_register_finalizer_no_order(object, finalize, &counts[1], &old, &data);
    CHECK(old == finalize && data == &counts[0], "the first");
    GC_register_finalizer(object, 0, 0, &old, &data);
    CHECK(old == finalize && data == &counts[1], "the second");
    GC_register_finalizer(object, 0, 0, &old, &data);
    CHECK(old == 0 && data == NULL, "taken away");
    old = finalize;
    GC_register_finalizer(&notified, finalize, NULL, &old, &data);
    CHECK(old == 0, "not on the heap");
    expect("normal, alone", normal, 0, 0, 1, 1);
    expect("normal, in a row", normal, 1, 0, 1, 0);
    expect("normal, to itself", normal, 0, 1, 0, 1);
    expect("ignore_self, in a row", ignore_self, 1, 1, 1, 0);
    expect("no_order, in a row", no_order, 1, 1, 1, 1);
    expect("unreachable, alone", unreachable, 0, 0, 1, 1);
    expect_two("unreachable, both", unreachable, unreachable, SOME, 0, 0);
    expect_two("no_order, both", no_order, no_order, 1, 1, 1);
    expect_two("normal to no_order", normal, no_order, 1, 0, 0);
    expect_two("ignore_self to no_order", ignore_self, no_order, 1, 0, 0);
    expect_two("unreachable to no_order", unreachable, no_order, SOME, 0, 0);
    expect_two("normal to unreachable", normal, unreachable, 1, 0, 0);
    expect_two("no_order to normal", no_order, normal, 1, 1, 0);
    expect_two("no_order to unreachable", no_order, unreachable, 1, 0, 0);
    expect_two("unreachable to normal", unreachable, normal, SOME, 0, 0);
    /* The program is told of each that is queued. */
    GC_set_await_finalize_proc(await);
    CHECK(GC_get_await_finalize_proc() == await, "who is told");
    expect("no_order, told", no_order, 1, 0, 1, 1);
    CHECK(awaited >= 2 * (MANY - FEW) && awaited <= 2 * MANY, "told of %d", awaited);
    GC_set_await_finalize_proc(0);
    /* The program is told once a collection. */
    GC_set_finalizer_notifier(note);
    elsewhere(make_a_few);
    notified = 0;
    living();
    for (int i = 0; i < 100000; i++)
        GC_noop1((GC_word)GC_malloc(40));
    CHECK(notified >= 1 && notified <= (int)GC_get_gc_no(), "told %d times", notified);
    GC_set_finalizer_notifier(0);
    CHECK(GC_should_invoke_finalizers(), "they wait");
    GC_finalize_all();
    /* They run by themselves. */
    GC_set_finalize_on_demand(0);
    counts[0] = counts[1] = 0;
    elsewhere(make_a_few);
    living();
    for (int i = 0; i < 100000; i++)
        GC_noop1((GC_word)GC_malloc(40));
    CHECK(counts[0] >= MANY - FEW && counts[1] >= MANY - FEW, "by themselves: %d, %d", counts[0], counts[1]);
    return 0;
}
