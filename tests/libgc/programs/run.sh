#!/bin/bash
# Acceptance: Debian's own programs on our libgc.so.1 do what they do on Debian's, in less time.
#
#   tests/libgc/programs/run.sh [--library DIR] [--short | --small] [--options STRING] [--keep] [NAME...]
#   tests/libgc/programs/run.sh --share [--small] [NAME...]
#   tests/libgc/programs/run.sh --speed [--library DIR] [--rounds N] [--shares FILE] [--options STRING] [NAME...]
#
# Each case runs its commands on Debian's libgc and again with LD_LIBRARY_PATH=DIR, and compares stdout, stderr and exit
# status. The dynamic linker's own log shows where every process of the case found its libgc.so.1: one that took another
# than ours fails the case, as does a case in which none took it, or in which there were no collections. One row a case;
# exit status 1 when a case falls short, with the name and the difference of each.
#
#   --library DIR       has libgc.so.1, libgccpp.so.1, libgctba.so.1; target/doors/release/libgc of this tree if not given
#   --short             the cases marked short, on small inputs: under a minute in total
#   --small             all cases on small inputs
#   --options STRING    more options for GLEANER_OPTIONS, such as verify=1:zeal=1000
#   --keep              leave the working directory behind and say where it is
#   NAME                a case (`guile/nqueens`) or all cases of a group (`guile`)
#   --share             what Debian's libgc takes of the time of each: needs `perf`
#   --speed             time and memory beside Debian's, in turn, with the goals judged
#   --rounds N          of --speed: rounds of Debian, ours, ours, Debian; 3 if not given, which is 6 pairs
#   --shares FILE       of --speed: what --share printed, kept; it is measured first when not given
#
# What a case is, tests/common/cases.sh says. $scale is 8, and 1 for small inputs. Here a case also sets
#
#   collects    no when the case may end without a collection on small inputs
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
directory=$root/target/doors/release/libgc
scale=8
mode=compare
rounds=3
shares=
more_options=

# shellcheck source=../../common/cases.sh
source "$root/tests/common/cases.sh"

while (($#)); do
    case $1 in
    --library) directory=${2:?--library needs a directory} && shift ;;
    --short) short_only=yes scale=1 ;;
    --small) scale=1 ;;
    --options) more_options=:${2:?--options needs a string} && shift ;;
    --keep) keep=yes ;;
    --share) mode=share ;;
    --speed) mode=speed ;;
    --rounds) rounds=${2:?--rounds needs a number} && shift ;;
    --shares) shares=$(realpath "${2:?--shares needs a file}") && shift ;;
    -h | --help) usage && exit ;;
    -*) echo "run.sh: unknown option: $1; see --help" >&2 && exit 2 ;;
    *) names+=("$1") ;;
    esac
    shift
done

if [[ $mode != share ]]; then
    if [[ ! -r $directory/libgc.so.1 ]]; then
        echo "run.sh: no $directory/libgc.so.1; build it with make, or pass --library DIR" >&2
        exit 2
    fi
    directory=$(realpath "$directory")
fi

open_workplace
# What programs of this kind would read of the user's: none of it.
unset "${!GC_@}" "${!GUILE_@}" "${!NIX_@}" "${!CRYSTAL_@}" NEKOPATH ASYMPTOTE_HOME POKEDATADIR
export GUILE_AUTO_COMPILE=0

# With a collection every few allocations a run takes many times as long.
reset_case() {
    collects=yes
    [[ $more_options != *zeal=* ]] || deadline=3600
}

# The environment of a run on our library.
ours=(LD_LIBRARY_PATH="$directory" GLEANER_OPTIONS="stats=1$more_options")

# What bdwgc says of each collection, into a file of its own.
logged() { echo GC_PRINT_STATS=1 GC_LOG_FILE="$PWD/$1.gc"; }

# collections WHERE: how many there were in all processes of a run and the milliseconds that they took, from bdwgc's log and
# from our library's lines at exit, of which either may be missing.
collections() {
    { cat "$1.gc" "$1.stderr.all" 2>/dev/null || true; } | LC_ALL=C awk '
        /^Complete collection took/ { n++; ms += $4 + $6 / 1e6 }
        match($0, /gleaner: exit collections=[0-9]+/) {
            n += substr($0, RSTART + 26, RLENGTH - 26)
            if (match($0, /pause_total_us=[0-9]+/)) ms += substr($0, RSTART + 15, RLENGTH - 15) / 1000
        }
        END { printf "%d %.1f\n", n, ms }'
}

# quiet WHERE: the lines of both libraries out of stderr, the rest tidied, and so stdout.
quiet() {
    mv "$1.stderr" "$1.stderr.all"
    grep -av -e '^gleaner: exit ' -e '^GC Warning: ' "$1.stderr.all" >"$1.stderr" || true
    tidy <"$1.stdout" >"$1.stdout.tidy"
    tidy <"$1.stderr" >"$1.stderr.tidy"
}

source "$here/$mode.sh"

print_head
run_groups
conclude
