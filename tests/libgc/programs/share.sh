# The mode of run.sh that measures what Debian's libgc takes of the time of each program. To be sourced; share_of is of use to
# the mode for speed too.
#
# `perf` takes a sample each millisecond of processor time, with the stack. A sample counts as the library's when its
# innermost frame is of libgc.so.1, the kernel's and those of memset and memcpy left aside: so page faults and clearing that
# the library causes are its own. Marker threads are left out: the thread that waits for them stands in their stead. What the
# collections took is bdwgc's own statement, by the clock; the rest of the library's part is allocation, with lazy sweeping.

need_perf() {
    install_packages "$work/apt.log" linux-perf
    perf record -q -e cpu-clock -o "$work/probe" -- true 2>"$work/probe.log" || {
        echo "run.sh: perf cannot record here: $(head -n 1 "$work/probe.log"); --share needs it" >&2
        exit 2
    }
}

# Samples in the library and all samples, of perf's listing.
count_samples() {
    awk '
        function done() { if (open && !marker) { all++; if (frame ~ /\/libgc\.so\.1/) library++ } open = 0 }
        /^[^ \t]/ { done(); open = 1; frame = ""; marker = /^GC-marker/; next }
        /^$/ { done(); next }
        frame == "" && !/\(\[/ && !/(memset|memcpy|memmove|bzero|_avx|_evex|_sse2|_erms).*(libc\.so|inlined)/ { frame = $0 }
        END { done(); print library + 0, all + 0 }'
}

# share_of GROUP VARIANT: leaves in $share "WALL RSS_MIB ALLOCATION COLLECTION COLLECTIONS": seconds, percents of the time.
share_of() {
    local took samples figures
    took=$(run_once "$1" "$2" debian "$work/timed" "$PWD/figures")
    read -r _ rss wall <figures
    [[ $(<debian.status) = 0 ]] || { quiet debian && complain "$1${2:+/$2}" "$(differences debian debian)" && share="- - - - -" && return; }
    rm -f logged.gc
    # shellcheck disable=SC2046
    took=$(run_once "$1" "$2" logged $(logged logged) "$work/timed" "$PWD/figures.logged")
    figures=$(collections logged)
    run_once "$1" "$2" sampled perf record -q -F 997 -e cpu-clock --call-graph dwarf,1024 -o "$PWD/perf.data" -- >/dev/null
    samples=$(perf script -i perf.data -F comm,tid,ip,sym,dso 2>perf.log | count_samples)
    rm -f perf.data
    share=$(awk -v rss="$rss" -v wall="$wall" -v samples="$samples" -v figures="$figures" -v logged="$(cut -d' ' -f3 figures.logged)" 'BEGIN {
        split(samples, s, " "); split(figures, f, " ")
        library = s[2] ? 100 * s[1] / s[2] : 0
        collection = 100 * f[2] / 1000 / logged
        allocation = library - collection; if (allocation < 0) allocation = 0
        printf "%.2f %.0f %.1f %.1f %d", wall, rss / 1024, allocation, collection, f[1] }')
}

run_case() {
    local share rss wall name=$1${2:+/$2}
    share_of "$1" "$2"
    # shellcheck disable=SC2086
    printf '%-20s %8s %9s %12s %12s %12s\n' "$name" $share
}

print_head() {
    [[ $mode != share ]] || need_perf
    gcc -O2 -Wall -Wextra -o "$work/timed" "$root/tests/common/timed.c"
    printf '%-20s %8s %9s %12s %12s %12s\n' case "wall s" "RSS MiB" "allocation %" "collection %" collections
}

conclude() { judge_all; }
