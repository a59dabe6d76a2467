# The mode of run.sh that compares what programs print on both libraries. To be sourced.

# loaded WHERE: where each process of a run found its libgc.so.1, by the dynamic linker's log: of each search the last file
# that it tried.
loaded() {
    { cat "$1".linker.* 2>/dev/null || true; } | awk '
        function found() { if (file != "") print file; file = "" }
        /find library=/ { found(); ours = /find library=libgc\.so\.1 / }
        ours && match($0, /trying file=/) { file = substr($0, RSTART + 12) }
        /calling init:/ { found(); ours = 0 }
        END { found() }'
}

# misplaced: what is wrong with where the run on our library found it, and the one on Debian's.
misplaced() {
    local file wanted count=0
    wanted=$(realpath "$directory/libgc.so.1")
    while read -r file; do
        count=$((count + 1))
        [[ $(realpath "$file") = "$wanted" ]] || echo "a process took $file instead of $directory/libgc.so.1"
    done < <(loaded ours | sort -u)
    ((count)) || echo "no process loaded a libgc.so.1 at all"
    while read -r file; do
        [[ $(realpath "$file") != "$wanted" ]] || echo "without LD_LIBRARY_PATH a process took $file, which is the library to be judged"
    done < <(loaded debian | sort -u)
}

# on WHERE NAME=VALUE...: one run in the current directory, with the linker's log and the collector's.
on() {
    local where=$1
    shift
    rm -f "$where".linker.* "$where.gc"
    # shellcheck disable=SC2046
    run_once "$group" "$variant" "$where" LD_DEBUG=libs LD_DEBUG_OUTPUT="$PWD/$where.linker" $(logged "$where") "$@"
    quiet "$where"
}

# run_case GROUP VARIANT INDEX: runs one case in the current directory, prints its row, adds to `failed`.
run_case() {
    local group=$1 variant=$2 name=$1${2:+/$2} debian ours_took counts count complaint verdict=same
    debian=$(on debian)
    ours_took=$(on ours "${ours[@]}")
    counts=("$(collections debian)" "$(collections ours)")
    count=${counts[1]% *}
    complaint=$(differences debian ours "on our library")
    [[ -z $complaint ]] || verdict=DIFFERENT
    if [[ -n $(misplaced) ]]; then
        complaint+=${complaint:+$'\n'}$(misplaced)
        verdict="${verdict/same/}${verdict:+ }ANOTHER LIBRARY"
    fi
    if ((count == 0)) && [[ $collects = yes || $scale -gt 1 ]]; then
        complaint+="${complaint:+$'\n'}no collections on our library; ${counts[0]% *} on Debian's"
        verdict="${verdict/same/}${verdict:+ }NO COLLECTIONS"
    fi
    printf '%-20s %9s %9s %15s %9s  %s\n' "$name" "$debian" "$ours_took" "${counts[0]% *}" "$count" "${verdict# }"
    [[ -z $complaint ]] || complain "$name" "$complaint"
}

print_head() {
    printf '%-20s %9s %9s %15s %9s  %s\n' case "Debian s" "ours s" "collections: D" ours verdict
}

conclude() {
    judge_all
    echo "$cases cases: same output and exit status on $directory/libgc.so.1"
}
