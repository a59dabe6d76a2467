# Cases of real programs, each a file of bash. To be sourced by a runner that has set `here`, the directory that holds
# cases/, and that defines `run_case GROUP VARIANT INDEX`.
#
# A case lives in cases/GROUP.sh, a file that sets
#
#   packages    what it needs, as Debian packages; installed by apt-get when missing
#   variants    names of its cases, an array; unset when it is a single one
#   short       the variants that belong to the short subset, or yes for all
#   deadline    seconds that a run may take
#
# and defines `prepare` (makes inputs in the current directory, plain), `commands VARIANT` (what is compared; it finds the
# inputs in ../input, the size in $scale, and `expect` of inner.sh) and, when output holds timings, `tidy` (a filter for
# stdout and stderr). What else it may set, the runner says. The commands must succeed, or fail as expected, without
# the library.

# shellcheck source=packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
inner=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/inner.sh

short_only=no
keep=no
names=()
failed=()
cases=0

# Explains the options, by the comment that the runner begins with.
usage() {
    sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' "$0"
}

# Begins: Debian's own programs and the same environment everywhere, in a directory that goes away at the end.
open_workplace() {
    export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TZ=UTC PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
    unset LD_PRELOAD LD_LIBRARY_PATH GLEANER_OPTIONS BASH_ENV MAKEFLAGS PYTHONPATH
    export scale
    work=$(mktemp -d "${TMPDIR:-/tmp}/programs.XXXXXX")
    export HOME=$work/home
    mkdir "$HOME"
    trap close_workplace EXIT
}
close_workplace() {
    if [[ $keep = yes ]]; then echo "working directory: $work"; else rm -rf "$work"; fi
}

# Sets the variables and functions of a group.
load() {
    variants=('') packages='' short=no deadline=600
    reset_case
    prepare() { :; }
    tidy() { cat; }
    # shellcheck source=/dev/null
    source "$here/cases/$1.sh"
}

# The runner's own variables of a case, as they are when it does not set them.
reset_case() { :; }

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

# run_once GROUP VARIANT WHERE [NAME=VALUE | COMMAND]...: runs the commands in a fresh directory `run`, leaves WHERE.stdout,
# WHERE.stderr and WHERE.status, prints the seconds it took. The inner bash runs under what follows WHERE: variables of the
# environment, then a command that takes another.
run_once() {
    local group=$1 variant=$2 where=$3 begin end status=0
    shift 3
    rm -rf run && mkdir run
    begin=$EPOCHREALTIME
    (cd run && exec timeout --kill-after=10 "$deadline" env "$@" bash "$inner" "$here/cases/$group.sh" "$variant" \
        </dev/null >"../$where.stdout" 2>"../$where.stderr") || status=$?
    end=$EPOCHREALTIME
    echo "$status" >"$where.status"
    awk -v b="$begin" -v e="$end" 'BEGIN { printf "%.2f", e - b }'
}

# differences PLAIN OTHER PLACE: what differs between two runs, in a few lines; nothing when they agree. PLACE says where
# the other one ran, the plain one's is "without the library".
differences() {
    local stream
    if [[ $(<"$1.status") != 0 ]]; then
        echo "exit status $(<"$1.status") without the library; stderr ends:"
        tail -n 5 "$1.stderr"
    elif ! cmp -s "$1.status" "$2.status"; then
        echo "exit status: $1 $(<"$1.status"), $3 $(<"$2.status") (124 is the deadline of $deadline s)"
    fi
    for stream in stdout stderr; do
        if ! diff -u "$1.$stream.tidy" "$2.$stream.tidy" >"$stream.diff"; then
            echo "$stream differs:"
            head -n 20 "$stream.diff"
        fi
    done
}

# complain NAME TEXT: the case fails, for these reasons.
complain() {
    failed+=("$1")
    printf '%s:\n    %s\n' "$1" "${2//$'\n'/$'\n'    }" >>"$work/complaints"
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
        run_case "$group" "${variants[index]}" "$index"
        cases=$((cases + 1))
    done
    cd "$work"
}

run_groups() {
    local file
    for file in "$here"/cases/*.sh; do run_group "$(basename "$file" .sh)"; done
    if ((cases == 0)); then
        echo "run.sh: no such case: ${names[*]}; the groups are: $(cd "$here/cases" && echo *.sh | sed 's/\.sh//g')" >&2
        exit 2
    fi
}

# Ends when a case has failed, and says why each did.
judge_all() {
    ((${#failed[@]})) || return 0
    echo
    cat "$work/complaints"
    echo "FAILED: ${failed[*]}"
    exit 1
}
