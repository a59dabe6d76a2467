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
# A case lives in cases/GROUP.sh, a file of bash that sets
#
#   packages    what it needs, as Debian packages; installed by apt-get when missing
#   variants    names of its cases, an array; unset when it is a single one
#   zeal        collect every so many allocations, a number or an array of one for each variant: programs that free
#               by hand would hardly collect otherwise
#   trace       no when the case judges its own stderr: then collections are counted from the line at exit only
#   short       the variants that belong to the short subset, or yes for all
#   deadline    seconds that a run may take
#
# and defines `prepare` (makes inputs in the current directory, plain), `commands VARIANT` (what is compared; it
# finds the inputs in ../input, the size in $scale, 1 when short, and `expect` of inner.sh) and, when output holds
# timings, `tidy` (a filter for stdout and stderr). The commands are run by a bash that is itself preloaded; each
# must succeed, or fail as expected, without the library.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
library=$here/../../target/doors/release/libgleaner_malloc.so
scale=8
short_only=no
count_collections=yes
collections_min=20
seconds_min=10
more_options=
keep=no
names=()

# Explains the options, by the comment above.
usage() {
    sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' "$0"
}

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

# Debian's own programs, the same environment everywhere.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TZ=UTC PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
unset LD_PRELOAD GLEANER_OPTIONS BASH_ENV MAKEFLAGS PYTHONPATH
export scale

work=$(mktemp -d "${TMPDIR:-/tmp}/programs.XXXXXX")
export HOME=$work/home
mkdir "$HOME"
cleanup() {
    if [[ $keep = yes ]]; then echo "working directory: $work"; else rm -rf "$work"; fi
}
trap cleanup EXIT

# shellcheck source=../common/packages.sh
source "$here/../common/packages.sh"

# Sets the variables and functions of a group.
load() {
    unset zeal
    variants=('') packages='' zeal=0 trace=yes short=no deadline=600
    prepare() { :; }
    tidy() { cat; }
    # shellcheck source=/dev/null
    source "$here/cases/$1.sh"
}

# wanted GROUP VARIANT: whether the user asked for this case.
wanted() {
    local name
    [[ $short_only = no || $short = yes || " $short " = *" $2 "* ]] || return 1
    ((${#names[@]})) || return 0
    for name in "${names[@]}"; do
        if [[ $name = "$1" || $name = "$1/$2" ]]; then return 0; fi
    done
    return 1
}

# run_once GROUP VARIANT WHERE [NAME=VALUE...]: runs the commands in a fresh directory `run`, leaves WHERE.stdout,
# WHERE.stderr and WHERE.status, prints the seconds it took.
run_once() {
    local group=$1 variant=$2 where=$3 begin end status=0
    shift 3
    rm -rf run && mkdir run
    begin=$EPOCHREALTIME
    (cd run && exec timeout --kill-after=10 "$deadline" env "$@" bash "$here/inner.sh" "$here/cases/$group.sh" "$variant" \
        </dev/null >"../$where.stdout" 2>"../$where.stderr") || status=$?
    end=$EPOCHREALTIME
    echo "$status" >"$where.status"
    awk -v b="$begin" -v e="$end" 'BEGIN { printf "%.2f", e - b }'
}

# Most collections that any process reports: the number in its last trace line or in its line at exit.
heaviest() {
    sed -nE 's/^gleaner: (gc|exit collections)=([0-9]+).*/\2/p' "$1" | sort -n | tail -1
}

# What differs between plain and preloaded, in a few lines; nothing when they agree.
differences() {
    local stream
    if [[ $(<plain.status) != 0 ]]; then
        echo "exit status $(<plain.status) without the library; stderr ends:"
        tail -n 5 plain.stderr
    elif ! cmp -s plain.status preload.status; then
        echo "exit status: plain $(<plain.status), preloaded $(<preload.status) (124 is the deadline of $deadline s)"
    fi
    for stream in stdout stderr; do
        if ! diff -u "plain.$stream.tidy" "preload.$stream.tidy" >"$stream.diff"; then
            echo "$stream differs:"
            head -n 20 "$stream.diff"
        fi
    done
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
    complaint=$(differences)
    [[ -z $complaint ]] || verdict=DIFFERENT
    if [[ $count_collections = yes ]] && ((${count:-0} < collections_min)); then
        verdict="${verdict/same/}${verdict:+ }TOO FEW COLLECTIONS"
        complaint+="${complaint:+$'\n'}collections: ${count:-0}, at least $collections_min expected"
    fi
}

# run_case GROUP VARIANT ZEAL: runs one case in the current directory, prints its row, adds to `failed`.
run_case() {
    local group=$1 variant=$2 zeal=$3 name=$1${2:+/$2} options plain preload=0 runs=0 collections='' verdict=same complaint=''
    options=stats=1
    [[ $trace = no ]] || options+=:trace=1
    ((zeal == 0)) || options+=:zeal=$zeal
    options+=$more_options
    plain=$(run_once "$group" "$variant" plain)
    until ((runs > 0)) && { [[ $verdict != same ]] || ((${preload%.*} >= seconds_min)); }; do
        judge "$group" "$variant" "$options"
    done
    printf '%-32s %8s %10s %5s %12s  %s\n' "$name" "$plain" "$preload" "$runs" "${collections:--}" "$verdict"
    if [[ -n $complaint ]]; then
        failed+=("$name")
        printf '%s:\n    %s\n' "$name" "${complaint//$'\n'/$'\n'    }" >>"$work/complaints"
    fi
}

# Runs the wanted cases of a group.
run_group() {
    local group=$1 index selected=()
    load "$group"
    for index in "${!variants[@]}"; do
        if wanted "$group" "${variants[index]}"; then selected+=("$index"); fi
    done
    ((${#selected[@]})) || return 0
    # shellcheck disable=SC2086
    install_packages "$work/apt.log" $packages
    mkdir -p "$work/$group/input"
    cd "$work/$group/input"
    (prepare)
    cd ..
    for index in "${selected[@]}"; do
        run_case "$group" "${variants[index]}" "${zeal[index]:-${zeal[0]}}"
        cases=$((cases + 1))
    done
    cd "$work"
}

failed=()
cases=0
printf '%-32s %8s %10s %5s %12s  %s\n' case 'plain s' 'preload s' runs collections verdict
for file in "$here"/cases/*.sh; do run_group "$(basename "$file" .sh)"; done

if ((cases == 0)); then
    echo "run.sh: no such case: ${names[*]}; the groups are: $(cd "$here/cases" && echo *.sh | sed 's/\.sh//g')" >&2
    exit 2
fi
if ((${#failed[@]})); then
    echo
    cat "$work/complaints"
    echo "FAILED: ${failed[*]}"
    exit 1
fi
echo "$cases cases: same output and exit status"
