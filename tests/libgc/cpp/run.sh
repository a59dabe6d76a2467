#!/usr/bin/env bash
# Programs in C++ on libgc.so.1 and its companions: classes, allocators, the operators of libgccpp, allocation without a call.
# Each is built with our headers and with Debian's, as C++98 and C++20, plainly and with GC_DEBUG; each of these runs on
# Debian's libraries, which proves that the program is right about them, and on ours: plainly, under the checks of verify and
# recheck, and with a collection every few allocations.
#
#     tests/libgc/cpp/run.sh [PROGRAM...]
set -euo pipefail
cd "$(dirname "$0")/../../.."
. tests/common/packages.sh

ours=$PWD/target/doors/release/libgc
theirs=/usr/lib/x86_64-linux-gnu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
install_packages "$scratch/packages" g++ libgc1 libgc-dev
failures=0

# run WHAT FOLDER OPTIONS: the program on the libraries of the folder.
run() {
    runs=$((runs + 1))
    LD_LIBRARY_PATH=$2 GLEANER_OPTIONS=$3 timeout 120 "$scratch/program" >"$scratch/log" 2>&1 && return
    local status=$?
    echo "FAILED  $1, status $status: $(tail -n 3 "$scratch/log")"
    failures=$((failures + 1))
}

programs=("$@")
[ $# -gt 0 ] || for source in tests/libgc/cpp/*.cc; do programs+=("$(basename "$source" .cc)"); done
[ ${#programs[@]} -gt 0 ] || { echo "no programs" >&2; exit 1; }

for program in "${programs[@]}"; do
    source=tests/libgc/cpp/$program.cc
    # A comment in the program may say what else it links with.
    libraries=$(sed -n 's|^// link: ||p' "$source")
    runs=0
    before=$failures
    for headers in include/libgc /usr/include; do
        for settings in -std=c++98 -std=c++20 "-std=c++17 -DGC_DEBUG"; do
            what="$program, headers of $headers, $settings"
            # shellcheck disable=SC2086 # lists of words
            if ! g++ $settings -O1 -g -Wall -Wextra -Werror -Wno-deprecated-declarations -Wno-array-bounds -fno-builtin -pthread \
                -I$headers/gc -I$headers "$source" -o "$scratch/program" ${libraries:--lgctba} -lgc 2>"$scratch/log"; then
                echo "FAILED  to build $what"
                head -n 20 "$scratch/log"
                failures=$((failures + 1))
                continue
            fi
            run "$what, on Debian's" "$theirs" ""
            for options in "" verify=1:recheck=1 zeal=2000:verify=1; do
                run "$what, on ours, options '$options'" "$ours" "$options"
            done
        done
    done
    [ $failures -gt "$before" ] || echo "ok      $program: $runs runs"
done

echo "$failures failures"
[ $failures -eq 0 ]
