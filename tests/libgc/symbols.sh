#!/usr/bin/env bash
# libgc.so.1, libgccpp.so.1 and libgctba.so.1 export what Debian's do: the same names, of the same type, variables of the
# same size; no symbol has a version, the loader knows them by the same names, and they ask it for the same libraries of
# the three. GC_arrays and _end are not part of the interface and may be missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/common/packages.sh

ours=${1:-target/doors/release/libgc}
theirs=/usr/lib/x86_64-linux-gnu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
install_packages "$scratch/packages" binutils libgc1

# name, nm's letter, and the size of a variable
symbols() {
    nm -D --defined-only "$1" | awk '{ print $NF, $(NF - 1) }' | sort >"$scratch/letters"
    readelf --dyn-syms -W "$1" | awk '$4 == "OBJECT" && $7 != "UND" { print $8, $3 }' | sort >"$scratch/sizes"
    join -a 1 "$scratch/letters" "$scratch/sizes" | grep -Ev '^(GC_arrays|_end) '
    # What the loader reads: the name, and which of the three the library needs.
    readelf -d "$1" | sed -nE 's/.*\((SONAME|NEEDED)\).*\[(libgc.*)\]/\1 \2/p' | sort
}

# compare LIBRARY LEAST: LIBRARY has at least so many symbols.
compare() {
    symbols "$theirs/$1" >"$scratch/theirs"
    symbols "$ours/$1" >"$scratch/ours"
    local count
    count=$(grep -cEv '^(SONAME|NEEDED) ' "$scratch/theirs")
    # A reader that finds nothing would find no difference either.
    [ "$count" -ge "$2" ] || { echo "only $count symbols found in $theirs/$1: not the library this test knows" >&2; return 1; }
    if ! diff -u --label "Debian's" --label ours "$scratch/theirs" "$scratch/ours" >"$scratch/difference"; then
        grep '^[-+]' "$scratch/difference"
        echo "$1 differs: see above; '-' is missing in ours or has another type or size, '+' is one too many" >&2
        return 1
    fi
    echo "$1: $count symbols, no difference but GC_arrays and _end"
}

failures=0
compare libgc.so.1 290 || failures=1
compare libgccpp.so.1 7 || failures=1
compare libgctba.so.1 1 || failures=1
exit $failures
