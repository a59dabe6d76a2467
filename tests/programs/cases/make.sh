# make -j: a generated project of many files, its dependency graph, functions of make, and a second, empty build.

packages='make gcc'
zeal=60000

prepare() {
    local i
    mkdir src
    for ((i = 0; i < scale * 25; i++)); do
        printf '#include "all.h"\nint part%d(int x) { return x * %d + %d; }\n' "$i" $((i % 7 + 1)) "$i" >src/part$i.c
        printf 'int part%d(int x);\n' "$i" >>src/all.h
        printf '    x = part%d(x) %% 1000003;\n' "$i" >>src/calls.h
    done
    cat >src/main.c <<'END'
#include <stdio.h>
#include "all.h"
int main(void)
{
    int x = 1;
#include "calls.h"
    printf("%d\n", x);
    return 0;
}
END
    cat >src/Makefile <<END
sources := \$(sort \$(wildcard *.c))
numbers := \$(shell seq 1 $((scale * 10000)))
squares := \$(foreach n,\$(numbers),\$(patsubst %,n%x,\$(subst 7,seven,\$(n))))
program: \$(sources:.c=.o)
	\$(CC) -o \$@ \$(sort \$^)
%.o: %.c all.h calls.h
	\$(CC) -O2 -c -o \$@ \$<
\$(foreach n,\$(numbers),\$(eval target\$(n): ; @:))
all: program \$(addprefix target,\$(numbers))
	@echo \$(words \$(squares)) \$(firstword \$(squares)) \$(lastword \$(sort \$(squares)))
END
}

commands() {
    cp -r ../input/src .
    make -C src -j2 --no-print-directory all | sort
    md5sum src/*.o
    src/program
    make -C src -j2 --no-print-directory all
    expect 2 make -C src nonsense
}
