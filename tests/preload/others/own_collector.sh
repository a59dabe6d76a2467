#!/usr/bin/env bash
# Libraries with a collector of their own under the names of gc.h: something else altogether, linked with the program, which
# opens a library that uses it, too; the same, opened late, where it has to come before us; a bdwgc under another file's
# name, with threads. And bdwgc's own file in a program that has a malloc of its own.
set -euo pipefail
library=$1/libgleaner_malloc.so
scratch=$2
cd "$scratch"
cat >other.c <<'PROGRAM'
#include <stddef.h>
#include <stdio.h>
static _Alignas(16) char pool[1 << 20];
static size_t used;
int GC_dont_gc = 42;
static int is_ready;
void GC_init(void) { is_ready = 1; }
void *GC_malloc(size_t bytes)
{
    size_t *p = (size_t *)(void *)(pool + used);
    used += ((bytes + 15) & ~(size_t)15) + 16;
    p[0] = bytes;
    return is_ready ? p + 2 : NULL;
}
size_t GC_size(const void *p) { return ((const size_t *)p)[-2]; }
int GC_only_here(const void *p) { return (const char *)p >= pool && (const char *)p < pool + sizeof pool; }
int use(void)
{
    GC_init();
    void *(*volatile make)(size_t) = GC_malloc;
    void *p = GC_malloc(100), *q = make(7);
    return is_ready && GC_only_here(p) && GC_only_here(q) && GC_size(p) == 100 && GC_size(q) == 7 && GC_dont_gc == 42;
}
PROGRAM
cat >plugin.c <<'PROGRAM'
#include <stddef.h>
void *GC_malloc(size_t);
int GC_only_here(const void *);
int use(void) { return GC_only_here(GC_malloc(50)); }
PROGRAM
cat >program.c <<'PROGRAM'
#include <dlfcn.h>
#include <stdio.h>
int use(void) __attribute__((weak));
int main(int count, char **arguments)
{
    int is_its_own = use == NULL || use();
    for (int i = 1; i < count; i++) {
        void *opened = dlopen(arguments[i], RTLD_NOW | RTLD_LOCAL);
        int (*its)(void) = opened ? (int (*)(void))dlsym(opened, "use") : NULL;
        is_its_own &= its != NULL && its();
    }
    puts(is_its_own ? "its own" : "ours");
    return 0;
}
PROGRAM
cat >threads.c <<'PROGRAM'
#define GC_THREADS
#include <gc/gc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef OWN_MALLOC
#include <string.h>
static _Alignas(16) char pool[64 << 20];
static size_t used;
void *malloc(size_t bytes)
{
    size_t start = __atomic_fetch_add(&used, ((bytes + 15) & ~(size_t)15) + 16, __ATOMIC_RELAXED);
    *(size_t *)(void *)(pool + start) = bytes;
    return start + bytes + 16 > sizeof pool ? NULL : pool + start + 16;
}
void free(void *p) { (void)p; }
void *calloc(size_t count, size_t bytes) { return malloc(count * bytes); }
void *realloc(void *p, size_t bytes)
{
    void *q = malloc(bytes);
    if (p != NULL)
        memcpy(q, p, ((size_t *)p)[-2] < bytes ? ((size_t *)p)[-2] : bytes);
    return q;
}
#endif
struct node {
    struct node *next;
    char *text;
    long number;
};
static void *work(void *argument)
{
    long lost = 0, factor = (long)argument;
    for (int round = 0; round < 20; round++) {
        struct node *list = NULL;
        for (long i = 0; i < 2000; i++) {
            struct node *node = GC_MALLOC(sizeof *node);
            *node = (struct node){ list, malloc(24), i * factor };
            sprintf(node->text, "%ld", node->number);
            list = node;
        }
        for (struct node *node = list; node != NULL; node = node->next) {
            lost += atol(node->text) != node->number;
            free(node->text);
        }
    }
    return (void *)lost;
}
int main(void)
{
    pthread_t threads[4];
    long lost = 0;
    void *result;
    GC_INIT();
    for (long i = 0; i < 4; i++)
        pthread_create(threads + i, NULL, work, (void *)(i + 1));
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &result);
        lost += (long)result;
    }
    printf("%ld lost, collected: %s\n", lost, GC_get_gc_no() > 0 ? "yes" : "no");
    return 0;
}
PROGRAM
build() { gcc -O1 -g -w -fno-builtin "$@"; }
for how in '' -Wl,-Bsymbolic; do
    build -shared -fPIC $how -o "libother$how.so" other.c
    for late in '' -Wl,-z,now; do
        build -Wl,--no-as-needed,-z,lazy $late -o "program$how$late" program.c "./libother$how.so" -ldl
    done
done
build -shared -fPIC -o plugin.so plugin.c
build -o opener program.c -ldl
# bdwgc's library as another file, which is known by a name of its own.
debians=$(gcc -print-file-name=libgc.so.1)
[[ $debians = /* ]] || debians=$(ldconfig -p | awk '$1 == "libgc.so.1" { print $NF; exit }')
sed 's/libgc\.so\.1/libpg.so.1/g' "$debians" >libpg.so.1
build -o bundled threads.c ./libpg.so.1 -Wl,-rpath,"$PWD" -pthread
build -DOWN_MALLOC -rdynamic -o own_malloc threads.c "$debians" -pthread

# expect PRELOADED SAYS OUTPUT COMMAND...: what it prints without us and with us, and what the library says of it.
expect() {
    local preloaded=$1 says=$2 output=$3 said options
    shift 3
    said=$("$@")
    [[ $said = "$output" ]] || { echo "own_collector.sh: $*, without us: $said" && exit 1; }
    for options in verbose=1 verbose=1:zeal=500:verify=1; do
        said=$(LD_PRELOAD=$preloaded GLEANER_OPTIONS=$options "$@" 2>said)
        [[ $said = "$output" ]] || { echo "own_collector.sh: $*, options $options: $said" && cat said && exit 1; }
        if [[ -z $says && -s said ]] || ! grep -qF "$says" said && [[ -n $says ]]; then
            echo "own_collector.sh: $*, options $options, said:" && cat said && exit 1
        fi
    done
}
left='has a collector of its own; these names are left to it'
for how in '' -Wl,-Bsymbolic; do
    expect "$library" "$left" 'its own' "./program$how" ./plugin.so
    expect "$library" "$left" 'its own' "./program$how-Wl,-z,now" ./plugin.so
done
expect "$PWD/libother.so:$library" '' 'its own' ./opener ./libother.so
expect "$library" '' 'its own' ./opener ./libother-Wl,-Bsymbolic.so
expect "$library" "$left" '0 lost, collected: yes' ./bundled
expect "$library" "$left" '0 lost, collected: yes' ./own_malloc
