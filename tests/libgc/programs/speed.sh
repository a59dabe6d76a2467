# The mode of run.sh that measures time and memory beside Debian's libgc, in turn, and judges the goals. To be sourced.
#
# A round is Debian, ours, ours, Debian: two pairs. A ratio is the median over the pairs. Memory is the largest resident set
# of any process of a case. What collections take is measured in runs apart, since bdwgc prints at each of them.

# shellcheck source=share.sh
source "$here/share.sh"

# The goals: ratios of ours by Debian's.
time_where_large=0.70 # geometric mean of the time where the library takes `large` percent or more of it
large=30
time_of_all=0.85
time_of_any=1.02
collecting_of_any=0.40
memory_of_all=1.00
memory_of_any=1.20

# timed WHERE NAME=VALUE...: one run; its seconds and KiB go to WHERE.figures, a line each run.
timed() {
    local where=$1
    shift
    run_once "$group" "$variant" "$where" "$@" "$work/timed" "$PWD/figures" >/dev/null
    read -r _ rss wall <figures
    echo "$wall $rss" >>"$where.figures"
    quiet "$where"
    [[ $where = debian ]] || complaint=$(differences debian ours "on our library")
}

# collecting WHERE NAME=VALUE...: the collections of a run and their milliseconds.
collecting() {
    local where=$1
    shift
    rm -f "$where.gc"
    # shellcheck disable=SC2046
    run_once "$group" "$variant" "$where" $(logged "$where") "$@" >/dev/null
    quiet "$where"
    collections "$where"
}

# ratios FIELD: the median of the ratios of ours by Debian's, with the least and the most.
ratios() {
    paste -d' ' debian.figures ours.figures | awk -v f="$1" '{ printf "%.4f\n", $(f + 2) / $f }' | sort -n |
        awk '{ r[NR] = $1 } END { printf "%.3f %.3f %.3f\n", (r[int((NR + 1) / 2)] + r[int(NR / 2) + 1]) / 2, r[1], r[NR] }'
}
median() { cut -d' ' -f"$2" "$1.figures" | sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }

# run_case GROUP VARIANT: a row, and a line of judged.
run_case() {
    local group=$1 variant=$2 name=$1${2:+/$2} share percent round complaint='' debian ours_ times memory
    share=$(known_share "$name")
    if [[ -z $share ]]; then share_of "$1" "$2"; fi
    percent=$(awk '{ print $3 + $4 }' <<<"$share")
    rm -f debian.figures ours.figures
    for ((round = 0; round < rounds && ${#complaint} == 0; round++)); do
        timed debian
        timed ours "${ours[@]}"
        [[ -n $complaint ]] || timed ours "${ours[@]}"
        timed debian
    done
    if [[ -n $complaint ]]; then
        printf '%-20s %6s  %s\n' "$name" "$percent" "DIFFERENT"
        complain "$name" "$complaint"
        return
    fi
    times=$(ratios 1) memory=$(ratios 2) debian=$(collecting debian) ours_=$(collecting ours "${ours[@]}")
    awk -v name="$name" -v percent="$percent" -v wall="$(median debian 1)" -v rss="$(median debian 2)" -v times="$times" -v memory="$memory" \
        -v d="$debian" -v o="$ours_" -v judged="$work/judged" 'BEGIN {
        split(times, t, " "); split(memory, m, " "); split(d, dc, " "); split(o, oc, " ")
        collecting = dc[2] > 0 ? sprintf("%.3f", oc[2] / dc[2]) : "-"
        printf "%-20s %6.1f %8.2f %22s %9.1f %22s %11s %10s  %s\n", name, percent, wall,
            t[1] " (" t[2] ".." t[3] ")", rss / 1024, m[1] " (" m[2] ".." m[3] ")", dc[1] ", " oc[1], dc[2] " ms", collecting
        print name, percent, t[1], m[1], collecting >judged }' 
    cat "$work/judged" >>"$work/figures"
}

# What an earlier --share printed of a case.
known_share() { [[ -z $shares ]] || awk -v name="$1" '$1 == name && NF == 6 { $1 = ""; print substr($0, 2) }' "$shares"; }

print_head() {
    [[ -n $shares ]] || need_perf
    gcc -O2 -Wall -Wextra -o "$work/timed" "$root/tests/common/timed.c"
    printf '%-20s %6s %8s %22s %9s %22s %11s %10s  %s\n' case 'share%' 'Debian s' 'time: ratio' 'RSS MiB' 'memory: ratio' \
        'collections' 'taking' 'their ratio'
}

# The geometric means and every single figure against the goals; what falls short is said by name.
conclude() {
    local short
    [[ ! -s $work/figures ]] || short=$(awk -v where="$time_where_large" -v large="$large" -v of_all="$time_of_all" -v of_any="$time_of_any" \
        -v collecting="$collecting_of_any" -v memory="$memory_of_all" -v memory_any="$memory_of_any" '
        function mean(sum, n) { return n ? exp(sum / n) : 1 }
        function judge(what, figure, goal) {
            printf "%-58s %.3f, may be %.2f\n", what, figure, goal
            if (figure > goal) print what ": " figure " for " goal >"/dev/stderr"
        }
        { n++; t += log($3); m += log($4); if ($2 >= large) { l++; tl += log($3) }
          if ($3 > of_any) print $1 ": time " $3 " for " of_any >"/dev/stderr"
          if ($4 > memory_any) print $1 ": memory " $4 " for " memory_any >"/dev/stderr"
          if ($5 != "-" && $5 > collecting) print $1 ": time of collections " $5 " for " collecting >"/dev/stderr" }
        END {
            print ""
            judge("time, geometric mean of " l + 0 " with a share of " large " % or more", mean(tl, l), where)
            judge("time, geometric mean of " n, mean(t, n), of_all)
            judge("memory, geometric mean of " n, mean(m, n), memory)
        }' "$work/figures" 2>&1 >"$work/means")
    [[ ! -s $work/means ]] || cat "$work/means"
    [[ -z ${short-} ]] || complain speed "$short"
    judge_all
    echo "$cases cases: as fast and as small as promised"
}
