#!/usr/bin/env bash
# Programs and libraries that are known by name to hide pointers: what they keep under tags is found without an option, and
# not if an option says that nothing is tagged. A program of another name keeps nothing so.
set -euo pipefail
library=$1/libgleaner_malloc.so
scratch=$2
here=$(cd "$(dirname "$0")/.." && pwd)
cc -shared -o "$scratch/libswiftCore.so" -x c /dev/null
build() { cc -O1 -Wall -Wextra -Werror -fno-builtin -I"$here" -o "$scratch/$1" "$here/places/19_nan_box.c" "${@:2}"; }
build swift -Wl,--no-as-needed "$scratch/libswiftCore.so"
build luajit-boxes
build boxes
expect() {
    local said
    said=$(LD_PRELOAD=$library GLEANER_OPTIONS=verbose=1:${3-} "$scratch/$1" 2>&1) || [ "$2" = lost ]
    case $said in *survived*) said=survived ;; *) said=lost ;; esac
    [ "$said" = "$2" ] || { echo "$1 with '${3-}': $said, should be $2" >&2; exit 1; }
}
for program in swift luajit-boxes; do
    expect $program survived
    expect $program survived zeal=500:verify=1:recheck=1
    expect $program lost mask=0
done
expect boxes lost
expect boxes survived mask=48
# Into a file: a grep that has found what it looks for would end the pipe under a program that still writes.
LD_PRELOAD=$library GLEANER_OPTIONS=verbose=1 "$scratch/swift" >"$scratch/said" 2>&1
grep -q "low 47 bits of words, because of .*libswiftCore.so" "$scratch/said"
