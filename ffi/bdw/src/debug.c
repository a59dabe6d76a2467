/* Objects with a header that says where they were allocated and how large they are, and a word behind that shows whether
 * somebody has written past the end.
 *
 *      header: string, line, size, flag | the object, up to a whole word | flag ... | flag in the last word
 *
 * In C, because an allocation may be left by the program's GC_oom_fn.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uintptr_t word;

struct header {
    const char *file;
    word line;
    word size;
    word flag;
};

/* What the flags are, but for the address of the object; and what a freed object is filled with. */
static const word START_FLAG = (word)0xfedcedcbfedcedcb;
static const word END_FLAG = (word)0xbcdecdefbcdecdef;
static const word FREED = (word)0xEFBEADDEdeadbeef;

enum { POINTER_FREE, NORMAL, UNCOLLECTABLE, POINTER_FREE_UNCOLLECTABLE };

/* The Rust side. */
void gleaner_bdw_watch_debug_objects(void);
int gleaner_bdw_is_uncollectable(const void *base);
size_t gleaner_bdw_smashed(void **objects, size_t room);
__attribute__((noreturn)) void gleaner_bdw_die(const char *message);

void *GC_malloc(size_t bytes);
void *GC_malloc_atomic(size_t bytes);
void *GC_malloc_uncollectable(size_t bytes);
void *GC_malloc_atomic_uncollectable(size_t bytes);
void *GC_generic_malloc(size_t bytes, int kind);
int GC_get_kind_and_size(const void *p, size_t *bytes);
void *GC_base(void *p);
size_t GC_size(const void *p);
void GC_free(void *p);
extern int GC_find_leak;
extern int GC_gcj_debug_kind;

/* The first word behind the object that is not its own. */
static word *end_flag(const struct header *header) {
    return (word *)(header + 1) + (header->size + sizeof(word) - 1) / sizeof(word);
}

static word *last_word(const struct header *header) {
    return (word *)((char *)header + GC_size(header)) - 1;
}

static word flag_of(const struct header *header, word flag) {
    return flag ^ (word)(header + 1);
}

/* Whether an object has a header that is whole, but for its flag. */
static int has_header(const struct header *header) {
    size_t bytes = GC_size(header);
    return bytes >= sizeof *header + sizeof(word) && header->size <= bytes - sizeof *header - sizeof(word) &&
           header->file != NULL && (header->flag == flag_of(header, START_FLAG) || *end_flag(header) == flag_of(header, END_FLAG));
}

/* The first place where an object has been written past its end or before its start; NULL: none. */
static void *smashed_at(const struct header *header) {
    if (header->flag != flag_of(header, START_FLAG))
        return (void *)&header->flag;
    if (*end_flag(header) != flag_of(header, END_FLAG))
        return end_flag(header);
    if (*last_word(header) != flag_of(header, END_FLAG))
        return last_word(header);
    return NULL;
}

static void print_smashed(const char *what, const struct header *header, void *place) {
    fprintf(stderr, "%s %p in or near object at %p (%s:%d, sz= %lu)\n", what, place, (void *)(header + 1), header->file,
            (int)header->line, (unsigned long)header->size);
}

/* For the Rust side, which looks at every object after a collection. */
int gleaner_bdw_is_smashed(const void *base) {
    return has_header(base) && smashed_at(base) != NULL;
}

/* Says which objects have been written past their ends. */
void gleaner_bdw_print_smashed(void) {
    void *objects[20];
    size_t room = sizeof objects / sizeof *objects;
    size_t count = gleaner_bdw_smashed(objects, room);
    if (count == 0)
        return;
    fprintf(stderr, "GC_check_heap_block: found %lu smashed heap objects:\n", (unsigned long)count);
    for (size_t i = 0; i < count && i < room; i++)
        print_smashed("", objects[i], smashed_at(objects[i]));
}

/* An object that was not freed and cannot be reached. */
struct leak {
    char *address;
    size_t bytes;
    int is_pointer_free;
    const char *file;
    size_t line;
};

size_t gleaner_bdw_take_leaks(struct leak *leaks);

/* Adds what the header of an object says, if it has one. */
int gleaner_bdw_describe(const void *base, struct leak *leak) {
    const struct header *header = base;
    if (!has_header(header))
        return 0;
    leak->address = (char *)(header + 1);
    leak->bytes = header->size;
    leak->file = header->file;
    leak->line = header->line;
    return 1;
}

/* Says what has leaked. */
void gleaner_bdw_print_leaks(void) {
    struct leak leaks[40];
    size_t count = gleaner_bdw_take_leaks(leaks);
    if (count == 0)
        return;
    fprintf(stderr, "Found %lu leaked objects:\n", (unsigned long)count);
    for (size_t i = 0; i < count && i < sizeof leaks / sizeof *leaks; i++) {
        const struct leak *leak = &leaks[i];
        if (leak->file != NULL)
            fprintf(stderr, "%p (%s:%d, sz= %lu, %s)\n", (void *)leak->address, leak->file, (int)leak->line,
                    (unsigned long)leak->bytes, leak->is_pointer_free ? "PTRFREE" : "NORMAL");
        else
            fprintf(stderr, "object at %p of appr. %lu bytes (%s)\n", (void *)leak->address, (unsigned long)leak->bytes,
                    leak->is_pointer_free ? "atomic" : "composite");
    }
}

void GC_gcollect(void);

/* At exit everything that is not freed by then is looked for once more. */
void gleaner_bdw_check_for_leaks_at_exit(void) {
    atexit(GC_gcollect);
}

/* Bytes to ask for. */
static size_t with_header(size_t bytes) {
    size_t all = bytes + sizeof(struct header) + 2 * sizeof(word);
    return all < bytes ? SIZE_MAX : all;
}

static void *finish(struct header *header, size_t bytes, const char *function, const char *file, int line) {
    if (header == NULL) {
        fprintf(stderr, "%s(%lu) returning NULL (%s:%d)\n", function, (unsigned long)bytes, file, line);
        return NULL;
    }
    gleaner_bdw_watch_debug_objects();
    header->file = file != NULL ? file : "unknown";
    header->line = (word)line;
    header->size = bytes;
    header->flag = flag_of(header, START_FLAG);
    *end_flag(header) = flag_of(header, END_FLAG);
    *last_word(header) = flag_of(header, END_FLAG);
    return header + 1;
}

#define ALLOCATE(name, function)                                                          \
    void *gleaner_bdw_debug_##name(size_t bytes, const char *file, int line) {            \
        return finish(function(with_header(bytes)), bytes, "GC_debug_" #name, file, line); \
    }
ALLOCATE(malloc, GC_malloc)
ALLOCATE(malloc_atomic, GC_malloc_atomic)
ALLOCATE(malloc_uncollectable, GC_malloc_uncollectable)
ALLOCATE(malloc_atomic_uncollectable, GC_malloc_atomic_uncollectable)

void *gleaner_bdw_debug_malloc_replacement(size_t bytes) {
    return gleaner_bdw_debug_malloc(bytes, "unknown", 0);
}

void *gleaner_bdw_debug_malloc_kind(size_t bytes, int kind, const char *file, int line) {
    switch (kind) {
    case NORMAL:
        return gleaner_bdw_debug_malloc(bytes, file, line);
    case POINTER_FREE:
        return gleaner_bdw_debug_malloc_atomic(bytes, file, line);
    case UNCOLLECTABLE:
        return gleaner_bdw_debug_malloc_uncollectable(bytes, file, line);
    case POINTER_FREE_UNCOLLECTABLE:
        return gleaner_bdw_debug_malloc_atomic_uncollectable(bytes, file, line);
    default:
        return finish(GC_generic_malloc(with_header(bytes), kind), bytes, "GC_debug_generic_malloc", file, line);
    }
}

/* The procedure of GC_init_gcj_malloc is given such an object from its header on. */
void *gleaner_bdw_debug_gcj_malloc(size_t bytes, const void *table, const char *file, int line) {
    struct header *header;
    const void **object;
    if (bytes < sizeof table)
        bytes = sizeof table;
    header = GC_generic_malloc(with_header(bytes), GC_gcj_debug_kind);
    object = finish(header, bytes, "GC_debug_gcj_malloc", file, line);
    if (object != NULL)
        *(const void *volatile *)object = table;
    return object;
}

char *gleaner_bdw_debug_strndup(const char *s, size_t most, const char *file, int line) {
    size_t length;
    char *copy;
    if (s == NULL)
        return NULL;
    length = strnlen(s, most);
    copy = gleaner_bdw_debug_malloc_atomic(length + 1, file, line);
    if (copy != NULL) {
        memcpy(copy, s, length);
        copy[length] = '\0';
    }
    return copy;
}

char *gleaner_bdw_debug_strdup(const char *s, const char *file, int line) {
    return gleaner_bdw_debug_strndup(s, SIZE_MAX, file, line);
}

void gleaner_bdw_debug_free(void *p) {
    struct header *header;
    void *place;
    if (p == NULL)
        return;
    header = GC_base(p);
    if (header == NULL) {
        fprintf(stderr, "Attempt to free invalid pointer %p\n", p);
        gleaner_bdw_die("Invalid pointer passed to free()");
    }
    if (p != header + 1 || (header->file == NULL && header->size == 0)) {
        fprintf(stderr, "GC_debug_free called on pointer %p w/o debugging info\n", p);
        GC_free(p);
        return;
    }
    if (header->size == GC_size(header)) {
        print_smashed("GC_debug_free: found previously deallocated (?) object at", header, p);
        return;
    }
    place = smashed_at(header);
    if (place != NULL)
        print_smashed("GC_debug_free: found smashed location at", header, place);
    if (GC_find_leak || gleaner_bdw_is_uncollectable(header)) {
        GC_free(header);
        return;
    }
    /* It stays until nothing leads to it, so that a second free is noticed. */
    size_t words = (header->size + sizeof(word) - 1) / sizeof(word);
    header->size = GC_size(header);
    for (size_t i = 0; i < words; i++)
        ((word *)p)[i] = FREED;
}

void *gleaner_bdw_debug_realloc(void *p, size_t bytes, const char *file, int line) {
    struct header *header;
    size_t old;
    void *result;
    if (p == NULL)
        return gleaner_bdw_debug_malloc(bytes, file, line);
    if (bytes == 0) {
        gleaner_bdw_debug_free(p);
        return NULL;
    }
    header = GC_base(p);
    if (header == NULL) {
        fprintf(stderr, "Attempt to reallocate invalid pointer %p\n", p);
        gleaner_bdw_die("Invalid pointer passed to realloc()");
    }
    if (p != header + 1) {
        fprintf(stderr, "GC_debug_realloc called on pointer %p w/o debugging info\n", p);
        return NULL;
    }
    old = header->size;
    result = gleaner_bdw_debug_malloc_kind(bytes, GC_get_kind_and_size(header, NULL), file, line);
    if (result != NULL) {
        memcpy(result, p, old < bytes ? old : bytes);
        gleaner_bdw_debug_free(p);
    }
    return result;
}

void *gleaner_bdw_debug_realloc_replacement(void *p, size_t bytes) {
    return gleaner_bdw_debug_realloc(p, bytes, "unknown", 0);
}
