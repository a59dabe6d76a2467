#!/usr/bin/env bash
# A program that collects under a debugger, and under a tracer of system calls: it ends as it would, collects, and the stop
# signal does not stop it.
set -euo pipefail
library=$1/libgleaner_malloc.so
scratch=$2
here=$(dirname "$0")
gcc -O1 -g -w -fno-builtin -pthread -I"$here/.." "$here/watched.c" -o "$scratch/watched"
collections() {
    sed -n 's/.*gleaner: exit collections=\([0-9]*\).*/\1/p' "$1"
}
judge() {
    grep -q 'whole' "$2" || { echo "watched.sh: under $1 it did not end as it would:"; tail -5 "$2"; exit 1; }
    [ "$(collections "$2")" -ge 5 ] || { echo "watched.sh: under $1 it did not collect:"; tail -5 "$2"; exit 1; }
    ! grep -q 'received signal' "$2" || { echo "watched.sh: $1 stopped it:"; tail -5 "$2"; exit 1; }
}
if command -v gdb >/dev/null; then
    gdb -nx -batch -ex "set environment LD_PRELOAD=$library" -ex 'set environment GLEANER_OPTIONS=stats=1' \
        -ex 'set startup-with-shell off' -ex 'set breakpoint pending on' -ex 'break malloc_trim' -ex run \
        -ex 'info threads' -ex delete -ex continue "$scratch/watched" >"$scratch/gdb" 2>&1
    judge gdb "$scratch/gdb"
else
    echo "skipped: watched.sh: there is no gdb"
fi
if command -v strace >/dev/null; then
    strace -f -o "$scratch/trace" -E LD_PRELOAD="$library" -E GLEANER_OPTIONS=stats=1 "$scratch/watched" >"$scratch/strace" 2>&1
    judge strace "$scratch/strace"
else
    echo "skipped: watched.sh: there is no strace"
fi
