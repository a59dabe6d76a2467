#!/bin/bash
# Acceptance: real programs behave under the preloaded library exactly as they do without it.
#
#   tests/programs/run.sh [--library PATH] [--short] [--no-collections] [--options STRING] [--keep] [NAME...]
#
# Each case runs its commands twice in the same directory, first plain, then with the library preloaded, and
# compares stdout, stderr and exit status. A run that is preloaded is done again, and compared again, until the runs
# have taken 10 seconds. The library's lines about collections on stderr (`gleaner: gc=...`) are taken out and counted:
# each long run must have collected at least 20 times in its heaviest process. One row a case; exit status 1 when a case
# falls short, with the name and the difference of each.
#
#   --library PATH      the library; target/doors/release/libgleaner_malloc.so of this tree if not given
#   --short             the cases marked short, on small inputs, one run and one collection enough: under a minute in
#                       total
#   --no-collections    do not count collections, for a library that is only a malloc
#   --options STRING    more options for GLEANER_OPTIONS, such as verify=1:poison=1
#   --keep              leave the working directory behind and say where it is
#   NAME                a case (`awk/gawk`) or all cases of a group (`awk`)
#
# What a case is, tests/common/cases.sh says. Here it also sets
#
#   zeal        collect every so many allocations, a number or an array of one for each variant: programs that free
#               by hand would hardly collect otherwise
#   trace       no when the case judges its own stderr: then collections are counted from the line at exit only
#
# The commands are run by a bash that is itself preloaded.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
library=$here/../../target/doors/release/libgleaner_malloc.so
scale=8
count_collections=yes
collections_min=20
seconds_min=10
more_options=

# shellcheck source=../common/cases.sh
source "$here/../common/cases.sh"

while (($#)); do
    case $1 in
    --library) library=${2:?--library needs a path} && shift ;;
    --short) short_only=yes scale=1 collections_min=1 seconds_min=0 ;;
    --no-collections) count_collections=no ;;
    --options) more_options=:${2:?--options needs a string} && shift ;;
    --keep) keep=yes ;;
    -h | --help) usage && exit ;;
    -*) echo "run.sh: unknown option: $1; see --help" >&2 && exit 2 ;;
    *) names+=("$1") ;;
    esac
    shift
done

if [[ ! -r $library ]]; then
    echo "run.sh: no library: $library; build it with make, or pass --library PATH" >&2
    exit 2
fi
library=$(realpath "$library")

open_workplace

reset_case() {
    unset zeal
    zeal=0 trace=yes
}

# Most collections that any process reports: the number in its last trace line or in its line at exit.
heaviest() {
    sed -nE 's/^gleaner: (gc|exit collections)=([0-9]+).*/\2/p' "$1" | sort -n | tail -1
}

# judge GROUP VARIANT OPTIONS: runs the commands preloaded, once; leaves what is wrong in $complaint, and adds to $preload
# and $verdict. Fewest collections of any run: $collections.
judge() {
    local stream took count
    took=$(run_once "$1" "$2" preload LD_PRELOAD="$library" GLEANER_OPTIONS="$3")
    preload=$(awk -v a="$preload" -v b="$took" 'BEGIN { printf "%.2f", a + b }')
    runs=$((runs + 1))
    mv preload.stderr preload.all
    # git puts `remote: ` before the lines of the other side.
    perl -ne 'print "$1\n" while /(gleaner: (?:gc=|exit ).*)/g' preload.all >preload.gleaner
    perl -pe 's/(?:remote: )?gleaner: (?:gc=|exit ).*\n//' preload.all >preload.stderr
    for stream in plain.stdout plain.stderr preload.stdout preload.stderr; do tidy <$stream >$stream.tidy; done
    count=$(heaviest preload.gleaner)
    if ((runs == 1 || ${count:-0} < ${collections:-0})); then collections=$count; fi
    complaint=$(differences plain preload preloaded)
    [[ -z $complaint ]] || verdict=DIFFERENT
    if [[ $count_collections = yes ]] && ((${count:-0} < collections_min)); then
        verdict="${verdict/same/}${verdict:+ }TOO FEW COLLECTIONS"
        complaint+="${complaint:+$'\n'}collections: ${count:-0}, at least $collections_min expected"
    fi
}

# run_case GROUP VARIANT INDEX: runs one case in the current directory, prints its row, adds to `failed`.
run_case() {
    local group=$1 variant=$2 every=${zeal[$3]:-${zeal[0]}} name=$1${2:+/$2} options plain preload=0 runs=0 collections='' verdict=same complaint=''
    options=stats=1
    [[ $trace = no ]] || options+=:trace=1
    ((every == 0)) || options+=:zeal=$every
    options+=$more_options
    plain=$(run_once "$group" "$variant" plain)
    until ((runs > 0)) && { [[ $verdict != same ]] || ((${preload%.*} >= seconds_min)); }; do
        judge "$group" "$variant" "$options"
    done
    printf '%-32s %8s %10s %5s %12s  %s\n' "$name" "$plain" "$preload" "$runs" "${collections:--}" "$verdict"
    [[ -z $complaint ]] || complain "$name" "$complaint"
}

printf '%-32s %8s %10s %5s %12s  %s\n' case 'plain s' 'preload s' runs collections verdict
run_groups
judge_all
echo "$cases cases: same output and exit status"
