#!/usr/bin/env bash
# What an allocation without a call saves: benches/c/inline.c, with GCC and with Clang when it is there.
# `make bench-inline`. Installs mimalloc when it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

dpkg -s libmimalloc2.0 >/dev/null 2>&1 || apt-get install -y -qq libmimalloc2.0 >/dev/null
out=target/out
doors=$PWD/target/doors/release
mkdir -p "$out"
for compiler in gcc clang; do
    command -v "$compiler" >/dev/null || continue
    "$compiler" -std=gnu11 -O2 -Wall -Wextra -Werror -Iinclude benches/c/inline.c -o "$out/inline-$compiler" \
        -L"$doors" -Wl,-rpath,"$doors" -lgleaner -l:libmimalloc.so.2
    echo "$compiler -O2"
    "$out/inline-$compiler"
done
