# gdb: breakpoints with commands, a watchpoint, backtraces, its Python and types, over a program with threads, which
# runs without the library, and with it, too.

packages='gdb gcc libc6-dev'
variants=(alone both)
zeal=3000

prepare() {
    cat >program.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
struct node { struct node *next; int key; char name[24]; };
static struct node *list;
static int visit(struct node *node, int depth) { return node ? node->key % 7 + visit(node->next, depth + 1) : depth; }
static void *work(void *p)
{
    for (int i = 0; i < 200; i++) free(malloc(100 + i));
    return p;
}
int main(void)
{
    pthread_t threads[3];
    for (int i = 0; i < 300; i++) {
        struct node *node = malloc(sizeof *node);
        node->next = list;
        node->key = i;
        snprintf(node->name, sizeof node->name, "node %d", i);
        list = node;
    }
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 3; i++) pthread_create(threads + i, NULL, work, (void *)(long)(round * 3 + i));
        for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
        printf("%d\n", visit(list, round));
    }
    return 5;
}
END
    gcc -g -O0 -pthread program.c -o program
    cat >script.gdb <<'END'
set pagination off
set confirm off
set print thread-events off
set print address off
handle SIGSTOP nostop noprint nopass
break visit if depth == 150
commands
silent
printf "depth %d key %d %s\n", depth, node->key, node->name
backtrace 3
continue
end
run
delete
start
watch list->key
continue
continue
python
node, names = gdb.parse_and_eval("list"), []
while node:
    names.append(node["name"].string())
    node = node["next"]
print(len(names), names[:3], [field.name for field in gdb.lookup_type("struct node").fields()])
for _ in range(200):
    gdb.execute("info scope visit", to_string=True)
    gdb.execute("ptype struct node", to_string=True)
end
delete
tbreak work if (long)p == 57
continue
print list->next->name
kill
END
}

commands() {
    local also=()
    [[ $1 = both ]] || also=(-ex 'unset environment LD_PRELOAD')
    gdb -nx -batch "${also[@]}" -x ../input/script.gdb ../input/program
}

# Numbers of processes and threads.
tidy() {
    sed -E 's/(LWP|process) [0-9]+/\1 N/g; s/0x[0-9a-f]+/ADDRESS/g; s/^(\[Switching to )?Thread [0-9]+/Thread N/'
}
