#!/usr/bin/env bash
# libgc.so.1 exports what Debian's does: the same names, of the same type, variables of the same size; no symbol has a
# version, and the loader knows it by the same name. GC_arrays and _end are not part of the interface and may be missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/common/packages.sh

ours=${1:-target/doors/release/libgc/libgc.so.1}
theirs=/usr/lib/x86_64-linux-gnu/libgc.so.1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
install_packages "$scratch/packages" binutils libgc1

# name, nm's letter, and the size of a variable
symbols() {
    nm -D --defined-only "$1" | awk '{ print $NF, $(NF - 1) }' | sort >"$scratch/letters"
    readelf --dyn-syms -W "$1" | awk '$4 == "OBJECT" && $7 != "UND" { print $8, $3 }' | sort >"$scratch/sizes"
    join -a 1 "$scratch/letters" "$scratch/sizes"
}

symbols "$theirs" | grep -Ev '^(GC_arrays|_end) ' >"$scratch/theirs"
symbols "$ours" | grep -Ev '^(GC_arrays|_end) ' >"$scratch/ours"
name() { readelf -d "$1" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p'; }

count=$(wc -l <"$scratch/theirs")
# A reader that finds nothing would find no difference either.
[ "$count" -ge 290 ] || { echo "only $count symbols found in $theirs: not the library this test knows" >&2; exit 1; }
if ! diff -u --label "Debian's" --label ours "$scratch/theirs" "$scratch/ours" >"$scratch/difference"; then
    grep '^[-+]' "$scratch/difference"
    echo "symbols differ: see above; '-' is missing in ours or has another type or size, '+' is one too many" >&2
    exit 1
fi
[ "$(name "$ours")" = "$(name "$theirs")" ] || { echo "SONAME: $(name "$ours") instead of $(name "$theirs")" >&2; exit 1; }
echo "$count symbols: no difference but GC_arrays and _end"
