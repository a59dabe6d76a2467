/* interp.h: a small Scheme on gleaner.h. What a value is, what the interpreter knows, and which file does what.
 *
 *     memory.h     what is asked of a collector; on_gleaner.h and on_libgc.h answer
 *     objects.c    making objects; symbols; what is equal
 *     reader.c     text -> values
 *     printer.c    values -> text
 *     compile.c    forms -> nodes: variables become places in frames
 *     run.c        nodes run; calls and tail calls
 *     control.c    errors, handlers, escapes, unwinding, finalizers
 *     coroutine.c  coroutines: one fiber each
 *     tables.c     hash tables, strong and weak
 *     numbers.c  data.c  ports.c     procedures on these
 *     main.c       the command: files, the prompt, threads
 *     prelude.scm  all the rest, in Scheme: macros, and procedures made of others
 *     library.scm  those of these that the twin in Rust has, too
 *
 * A value is one word, told apart by its low bits:
 *
 *     ......1   an integer of 63 bits
 *     ....000   a constant, or a character; the word 0 is "nothing yet"
 *     ....010   a pair: two words, no header
 *     ....100   a real number: a double, no header, searched by nobody
 *     ....110   an object that begins with a header
 *
 * To the collector such a word is an address inside the object, and keeps it; so values live in registers, on the C
 * stack and in the objects below, and nothing need be announced. That no word is the very start of an object is good:
 * on a stack it would keep the object that ends there, too.
 */
#ifndef INTERP_H
#define INTERP_H

#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

typedef uintptr_t value;

/* ---- values in one word ------------------------------------------------------------------------------------------ */

enum tag { TAG_CONSTANT = 0, TAG_PAIR = 2, TAG_REAL = 4, TAG_OBJECT = 6, TAG_MASK = 7 };

#define CONSTANT(n) ((value)(n) << 8 | TAG_CONSTANT)
#define NOTHING CONSTANT(0)        /* a variable before its definition, an empty place of a table */
#define FALSE CONSTANT(1)
#define TRUE CONSTANT(2)
#define NIL CONSTANT(3)
#define UNSPECIFIED CONSTANT(4)
#define END_OF_FILE CONSTANT(5)
#define TAIL CONSTANT(6)           /* a result: "go on with me.call.body in me.call.frame" */
#define JUMP CONSTANT(7)           /* a result: "go on with the loop me.call.body" */
#define CHARACTER_BIT 8

#define FIXNUM_MAX (INTPTR_MAX >> 1)
#define FIXNUM_MIN (INTPTR_MIN >> 1)

static inline bool is_fixnum(value v) { return v & 1; }
static inline value fixnum(intptr_t n) { return (value)n << 1 | 1; }
static inline intptr_t fixnum_of(value v) { return (intptr_t)v >> 1; }

static inline value boolean(bool b) { return b ? TRUE : FALSE; }
static inline bool is_char(value v) { return (v & 0xff) == (TAG_CONSTANT | CHARACTER_BIT); }
static inline value character(uint32_t c) { return (value)c << 8 | TAG_CONSTANT | CHARACTER_BIT; }
static inline uint32_t char_of(value v) { return (uint32_t)(v >> 8); }

struct pair { value car, cdr; };
static inline bool is_pair(value v) { return (v & TAG_MASK) == TAG_PAIR; }
static inline struct pair *pair_of(value v) { return (struct pair *)(v - TAG_PAIR); }
#define car(v) (pair_of(v)->car)
#define cdr(v) (pair_of(v)->cdr)

static inline bool is_real(value v) { return (v & TAG_MASK) == TAG_REAL; }
static inline double real_of(value v) { return *(double *)(v - TAG_REAL); }

/* ---- objects with a header: the type in the low byte, a length above ---------------------------------------------- */

enum type {
    T_SYMBOL = 1, T_SYNTAX, T_STRING, T_BYTES, T_VECTOR, T_CLOSURE, T_PRIMITIVE, T_CONTINUATION, T_COROUTINE,
    T_TABLE, T_PORT, T_CONDITION, T_RECORD, T_RECORD_TYPE,
};
extern const char *const type_names[];                               /* as in a message: "a symbol" */

struct object { uintptr_t header; };
static inline struct object *object_of(value v) { return (struct object *)(v - TAG_OBJECT); }
static inline value of(const void *object) { return (value)object + TAG_OBJECT; }
static inline bool is_object(value v) { return (v & TAG_MASK) == TAG_OBJECT; }
static inline enum type type_of(value v) { return (enum type)(object_of(v)->header & 0xff); }
static inline size_t length_of(value v) { return object_of(v)->header >> 8; }       /* not of records */
static inline bool is(enum type type, value v) { return is_object(v) && type_of(v) == type; }
#define HEADER(type, length) ((uintptr_t)(length) << 8 | (type))

/* The header of a record says its type, by a number, and its length: no word of it is spent on that. */
#define RECORD_HEADER(number, length) ((uintptr_t)(number) << 24 | (uintptr_t)(length) << 8 | T_RECORD)
static inline size_t record_length(value v) { return object_of(v)->header >> 8 & 0xffff; }

struct symbol { uintptr_t header; value global; value name; };       /* `global`: NOTHING while it is unbound */
struct string { uintptr_t header; char bytes[]; };                   /* bytevectors too; one 0 follows the text */
struct vector { uintptr_t header; value item[]; };                   /* T_RECORD too */
struct record_type { uintptr_t header, record; value name, fields, next; };
struct condition { uintptr_t header; value message, irritants, place; };

#define vector_of(v) ((struct vector *)object_of(v))
#define symbol_of(v) ((struct symbol *)object_of(v))
#define record_type_of(v) ((struct record_type *)object_of(v))
#define condition_of(v) ((struct condition *)object_of(v))
#define bytes_of(v) (((struct string *)object_of(v))->bytes)

/* A frame holds the variables of one activation of a procedure: frame[0], frame[1], and so on. frame[-1] is the frame
 * of the procedure around it. Closures keep the frame that they were made in. */
enum { FRAME_LINK = sizeof(value) };
static inline value *frame_around(const value *frame) { return (value *)frame[-1]; }

/* Where something stands in a source. */
struct place { value file; int line, column; };

/* A node is a piece of compiled program: what it does, a datum, a variable's place, and its parts. */
struct node;
typedef value (*run_fn)(const struct node *node, value *frame);
struct node {
    run_fn run;
    uint32_t depth, slot, count;
    value datum;
    const struct place *place;
    const struct node *part[];
};

struct code {
    const struct node *body;
    struct pool *frames;                     /* where they come from */
    size_t frame_size;                       /* bytes */
    uint32_t required;
    bool rest;
    value name;
};
/* The header's length is twice the number of required arguments, and one more if there may be more. */
struct closure { uintptr_t header; const struct code *code; value *frame; };
#define closure_of(v) ((struct closure *)object_of(v))

/* A procedure in C: what programs call it, and how many arguments it takes; most < 0: any number. */
typedef value (*primitive_fn)(int count, value *arg);
struct procedure { const char *name; primitive_fn fn; int least, most; };
/* Those of a record type know the header of its records and a field. */
struct primitive {
    uintptr_t header;
    struct procedure is;
    uintptr_t record;                        /* 0: none */
    uint32_t field, sort;                    /* see p_record_procedure */
    struct pool *records;                    /* where they come from */
};
#define primitive_of(v) ((struct primitive *)object_of(v))

struct compiler;
typedef const struct node *(*compile_fn)(struct compiler *c, value form, uint32_t tail);
/* A form that the compiler knows, and of how many parts it is, its head included; most < 0: any number. */
struct form { const char *name; compile_fn compile; int least, most; };
struct syntax {
    uintptr_t header;
    struct form is;
    value expander;                          /* if there is no compile: a procedure that makes another form of it */
};
#define syntax_of(v) ((struct syntax *)object_of(v))

struct port {
    uintptr_t header;
    FILE *file;                              /* NULL: a port on text in memory */
    char *text;
    size_t length, capacity, at;
    value name;                              /* of the source, for messages */
    int line, column;
    bool output, noting;                     /* noting: the reader does, where each list begins */
};
#define port_of(v) ((struct port *)object_of(v))

/* ---- escapes ------------------------------------------------------------------------------------------------------ */

/* A place on the C stack that can be jumped to, and the object that may do so while it is there. */
struct continuation { uintptr_t header; struct catch *catch; struct coroutine *coroutine; };
#define continuation_of(v) ((struct continuation *)object_of(v))
struct catch {
    jmp_buf jump;
    struct catch *up;
    value continuation, handlers, winds;
};

/* ---- the interpreter: one a thread -------------------------------------------------------------------------------- */

struct interp {
    char *_Atomic stack_limit;               /* below it attend() is called: too deep, or finalizers wait */
    bool pristine;                           /* no primitive that is compiled in line was given another meaning */
    struct call {                            /* that is being made */
        const struct node *node;             /* for messages, as the next */
        const struct primitive *callee;
        const struct node *body;             /* of a tail call, or the loop that is jumped to */
        value *frame;
    } call;
    struct context {                         /* what belongs to a C stack */
        struct catch *catches;
        value handlers;                      /* a list: procedures, and continuations of guards */
        value winds;                         /* a list of pairs: before and after of dynamic-wind */
        char *floor;
        struct coroutine *coroutine;         /* that runs on it; NULL: none */
    } stack;
    value thrown;
    struct mailbox *mailbox;                 /* finalizers that wait for this thread */
    struct pool *reals;
    value symbols;                           /* a weak table: by name */
    value record_types;                      /* the newest; all stay */
    value globals;                           /* a list of the symbols with a value: these stay */
    value places;                            /* while a form is compiled: pair -> place */
    value outlined;                          /* the same: the loops in it that have to be procedures */
    value output, input;                     /* the ports of display and read */
    value out_of_memory, too_deep;           /* conditions made in advance */
};

/* Thread-local storage is a root: gleaner searches it as it is, libgc is told of it. */
extern _Thread_local struct interp me;

/* ---- what a file defines for programs: found by define_all, for it stands in a section of its own ------------------- */

#define UNUSED __attribute__((unused))
#define DEFINE(kind, fn) static const struct kind kind##_##fn __attribute__((section(#kind), used, aligned(8)))

#define PRIMITIVE(fn, name, least, most)                                                                               \
    static value fn(int count, value *arg);                                                                            \
    DEFINE(procedure, fn) = {name, fn, least, most};                                                                   \
    static value fn(UNUSED int count, UNUSED value *arg)

#define QUESTION(fn, name, condition)                                                                                  \
    PRIMITIVE(fn, name, 1, 1) {                                                                                        \
        value v = arg[0];                                                                                              \
        return boolean(condition);                                                                                     \
    }

#define SYNTAX(fn, name, least, most)                                                                                  \
    static const struct node *fn(struct compiler *c, value form, uint32_t tail);                                       \
    DEFINE(form, fn) = {name, fn, least, most};                                                                        \
    static const struct node *fn(struct compiler *c, value form, UNUSED uint32_t tail)

/* The node that a call of a primitive with so many arguments becomes. */
struct inlined { const char *name; uint32_t count; run_fn run; };
#define ANY UINT32_MAX

/* ---- what the files offer each other ------------------------------------------------------------------------------ */

/* objects.c */
value cons(value a, value d);
value real(double d);
value make_string(const char *text, size_t length);
value make_text(const char *text);
value make_bytes(enum type type, size_t length);
value make_vector(size_t length, value fill);
value list(int count, const value *item);
#define LIST(...) list(sizeof((value[]){__VA_ARGS__}) / sizeof(value), (value[]){__VA_ARGS__})
value intern(const char *name);
value intern_string(value name);
intptr_t list_length(value v);               /* -1: not a proper list */
value reverse_onto(value v, value tail);
bool is_eqv(value a, value b);
bool is_equal(value a, value b);
size_t hash_equal(value v);
void define_global(value symbol, value v);
struct primitive *make_primitive(struct procedure procedure);
void define_syntax(value symbol, struct form form, value expander);
void define_all(void);

/* reader.c, printer.c, ports.c */
value read_datum(struct port *port);
value parse_number(const char *text, size_t length, int radix);       /* FALSE: it is none */
void print(struct port *port, value v, bool written);
void format_number(value v, int radix, char text[72]);
extern const char *const char_names[][2];
value open_text(value name, const char *text, size_t length);
value open_file(const char *name);
value open_stream(FILE *file, const char *name, bool output);
value open_output_text(void);
value output_text(struct port *port);
int port_get(struct port *port);
int port_peek(struct port *port);
void port_put(struct port *port, const char *text, size_t length);
void port_puts(struct port *port, const char *text);

/* compile.c, run.c */
const struct node *compile_toplevel(value form, size_t *frame_size);
value eval_toplevel(value form);
void load_port(struct port *port);
value apply(value f, int count, value *arg);
value call1(value f, value a);
value tail_apply(value f, int count, value *arg);                      /* may return TAIL */
run_fn call_node(bool tail, uint32_t count);
run_fn inlined_node(const struct primitive *p, uint32_t count);        /* NULL: none */
value run_constant(const struct node *n, value *f), run_local(const struct node *n, value *f),
    run_variable(const struct node *n, value *f), run_global(const struct node *n, value *f),
    run_set_variable(const struct node *n, value *f), run_set_global(const struct node *n, value *f),
    run_define(const struct node *n, value *f), run_if(const struct node *n, value *f),
    run_sequence(const struct node *n, value *f), run_or(const struct node *n, value *f),
    run_lambda(const struct node *n, value *f), run_loop(const struct node *n, value *f),
    run_jump(const struct node *n, value *f), run_guard(const struct node *n, value *f);

/* control.c */
_Noreturn void fail(const char *message, value irritants);
_Noreturn void fail_at(const struct place *place, const char *message, value irritants);
_Noreturn void fail_type(const char *expected, value got);
value raise_value(value v, bool continuable);
_Noreturn void throw_to(value continuation, value v);
void complain(const char *what, value condition);                      /* on standard error */
bool protect(value (*body)(void *data), void *data, value *result);    /* false: *result was raised */
void catch_enter(struct catch *c), catch_leave(struct catch *c);
value catch_land(struct catch *c);                                     /* after a jump: what was thrown */
void *oom_raise(size_t size, void *data);
void attend(void);
void stack_floor_set(char *floor);                                     /* of the stack that runs from here */
void control_open(char *stack_floor), control_close(void);

/* Calls attend() when the C stack has come to its limit. */
static inline void check_stack(void) {
    if (UNLIKELY((char *)__builtin_frame_address(0) < atomic_load_explicit(&me.stack_limit, memory_order_relaxed)))
        attend();
}

/* tables.c */
enum equality { BY_EQV, BY_EQUAL, BY_NAME };                           /* by name: symbols, found by strings */
value make_table(enum equality equality, bool weak);
value table_get(value table, value key, value otherwise);
void table_put(value table, value key, value v);

/* ---- arguments ---------------------------------------------------------------------------------------------------- */

static inline value need(enum type type, value v) {
    if (UNLIKELY(!is(type, v)))
        fail_type(type_names[type], v);
    return v;
}

#define NEED(name, type, test, expected, result)                                                                       \
    static inline type name(value v) {                                                                                 \
        if (UNLIKELY(!(test)))                                                                                         \
            fail_type(expected, v);                                                                                    \
        return result;                                                                                                 \
    }
NEED(need_pair, value, is_pair(v), "a pair", v)
NEED(need_char, value, is_char(v), "a character", v)
NEED(need_fixnum, intptr_t, is_fixnum(v), "an exact integer", fixnum_of(v))
NEED(need_size, size_t, is_fixnum(v) && (uintptr_t)fixnum_of(v) < 1ul << 47, "a length", (size_t)fixnum_of(v))
NEED(need_double, double, is_fixnum(v) || is_real(v), "a number", is_fixnum(v) ? (double)fixnum_of(v) : real_of(v))

#endif
