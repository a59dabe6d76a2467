#!/usr/bin/env bash
# libgc.so.1 as other linkers than Rust's own make it: GNU ld's exports what Debian's does, and a program runs on it; gold,
# whose library would not start, is refused by name.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=target/linkers

build() {
    RUSTFLAGS="-C link-arg=-fuse-ld=$1" cargo build --locked --quiet --release -p gleaner-libgc -p gleaner-gccpp -p gleaner-gctba \
        --target-dir "$target"
}

build bfd
folder=$PWD/$target/release/libgc
mkdir -p "$folder"
for library in gc gccpp gctba; do ln -sf "../lib$library.so" "$folder/lib$library.so.1"; done
tests/libgc/symbols.sh "$folder"
cc -O1 -Wno-deprecated-declarations -fno-builtin -pthread -I/usr/include/gc -o "$target/finalizers" tests/libgc/c/finalizers.c -lgc
LD_LIBRARY_PATH="$folder" timeout 100 "$target/finalizers"

if build gold >"$target/gold" 2>&1 || ! grep -q 'libgc.so.1: gold cannot link it' "$target/gold"; then
    cat "$target/gold" >&2
    echo "gold is not refused by name" >&2
    exit 1
fi
echo "GNU ld links libgc.so.1, gold is refused"
