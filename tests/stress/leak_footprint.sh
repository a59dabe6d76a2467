#!/bin/sh
# A leak of 1 GB in pieces of 30 bytes from four threads, in a program that knows nothing of gleaner: with the malloc
# door preloaded it ends with a resident set under 32 MB. Under glibc, beside it, the same program keeps it all.
#
#     leak_footprint.sh [--short]         --short leaks 200 MB
set -eu
. "$(dirname "$0")/common.sh"

MEGABYTES=1000
[ "${1:-}" = --short ] && MEGABYTES=200
RSS_KB_MAX=31250
COLLECTIONS_MIN=10

need gcc gcc
build_doors
compile_c leak -O2 -fno-builtin "$ROOT/benches/c/leak.c"

"$OUT/leak" --megabytes "$MEGABYTES" >"$LOGS/glibc"
echo "glibc    final_rss_kb=$(field final_rss_kb "$LOGS/glibc") peak_rss_kb=$(field peak_rss_kb "$LOGS/glibc")" \
    "seconds=$(field seconds "$LOGS/glibc")"

title="leak of $MEGABYTES MB, four threads, preloaded"
status=0
LD_PRELOAD=$PRELOAD GLEANER_OPTIONS=stats=1 timeout --signal=KILL 300 "$OUT/leak" --megabytes "$MEGABYTES" \
    >"$LOGS/out" 2>"$LOGS/err" || status=$?
ROWS=1
final=$(field final_rss_kb "$LOGS/out")
collections=$(field collections "$LOGS/err")
echo "gleaner  final_rss_kb=$final peak_rss_kb=$(field peak_rss_kb "$LOGS/out")" \
    "seconds=$(field seconds "$LOGS/out") collections=$collections"
if [ "$status" -ne 0 ]; then
    fail_row "$title" "exit status $status"
elif [ "$(field checksum "$LOGS/out")" != "$(field checksum "$LOGS/glibc")" ]; then
    fail_row "$title" "checksum $(field checksum "$LOGS/out"), not $(field checksum "$LOGS/glibc")"
elif [ "$final" -ge "$RSS_KB_MAX" ]; then
    fail_row "$title" "ends with $final kB resident, not under $RSS_KB_MAX"
elif [ "${collections:-0}" -lt "$COLLECTIONS_MIN" ]; then
    fail_row "$title" "${collections:-no} collections, fewer than $COLLECTIONS_MIN: nothing is shown"
fi
finish
