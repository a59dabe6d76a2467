#!/bin/sh
# Makes benches/c/mix.h anew: what perl, the C compiler and git ask of malloc, recorded while each does a little work.
# Every program counts alike. Combinations of size and lifetime rarer than one in 2,000 are left out.
set -eu

BENCHES=$(cd "$(dirname "$0")" && pwd)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/mix.XXXXXX")
trap 'rm -rf "$WORK"' EXIT

gcc -std=gnu11 -O2 -fno-builtin -fPIC -shared -Wall -Wextra "$BENCHES/c/mix_record.c" -o "$WORK/record.so"

# record NAME COMMAND...
record() {
    name=$1
    shift
    MIX_RECORD=$WORK/$name.record LD_PRELOAD=$WORK/record.so "$@" >"$WORK/out"
}
# shellcheck disable=SC2016
record perl perl -e 'for my $i (1 .. 60000) {
    my @words = map { sprintf "%x", $i * $_ % 9973 } 1 .. 5;
    $count{$_}++ for @words;
    push @{$by_length{length "@words"}}, {id => $i, text => "@words"};
    delete $count{$words[0]} if $i % 7 == 0; }
    print join ",", sort { $count{$a} <=> $count{$b} } keys %count'
record compiler gcc -std=gnu11 -O2 -S -DUSE_MALLOC -I"$BENCHES/../include" "$BENCHES/c/gcbench.c" -o "$WORK/gcbench.s"
record git git -C "$BENCHES/.." log --stat --max-count=200

for record in "$WORK"/*.record; do
    awk '{ count[$1 " " $2] += $3; all += $3 }
         END { for (key in count) printf "%s %.9f\n", key, count[key] / all }' "$record"
done | awk '
    { share[$1 " " $2] += $3 }
    END { for (key in share) if (share[key] / 3 >= 0.0005) printf "%s %.0f\n", key, share[key] / 3 * 1e6 }
' | sort -n -k 1,1 -k 2,2 | awk '
    BEGIN {
        print "/* Sizes and lifetimes as real programs have them. Written by mix_record.sh: lifetime n is up to 16^n allocations. */"
        print "static const struct mix_row {"
        print "    uint32_t size, lifetime, per_million;"
        print "} mix_rows[] = {"
    }
    { printf "    { %d, %d, %d },\n", $1, $2, $3 }
    END { print "};" }' >"$BENCHES/c/mix.h"
