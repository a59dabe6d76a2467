#!/bin/bash
# Acceptance: Rust programs with gleaner as their global allocator pass their own tests, and take no more time.
#
#   tests/rust_programs/run.sh [--short] [--rounds N] [tests] [time]
#
# Published packages are fetched by name and version, patched by one line and one dependency, and built four times: on
# the system's allocator, on the crate mimalloc, on gleaner as an allocator only, and on gleaner with its collector
# started. Then
#
#   tests   each package's own tests on all but mimalloc. With the collector it collects at every N-th allocation and
#           poisons what is freed; a suite that has hardly collected fails. As many tests must pass as on the system's.
#   time    ripgrep searches the sources of all those packages and what they depend on, and jaq computes on JSON made
#           here, in turn on each allocator: gleaner as an allocator may take 1.03 of mimalloc's time, the geometric mean
#           of the medians. What it takes with its collector is printed.
#
#   --short    the tests of ripgrep alone, and three rounds that are printed and not judged
#   --rounds N rounds to be counted; 15 if not given
#
# Everything is downloaded and built below target/rust_programs of this tree. `make tools` builds what measures.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/target/rust_programs
harness=$root/target/release/gleaner-harness
export CARGO_TARGET_DIR=$work/target RUST_BACKTRACE=0 LC_ALL=C.UTF-8
unset GLEANER_OPTIONS HEAP_COUNTS LD_PRELOAD

# NAME VERSION; the file that gets the line; how many allocations lie between two collections.
packages='ripgrep =15.2.0
jaq =2.3.0
rayon =1.12.0'
entry() { case $1 in ripgrep) echo crates/core/main.rs ;; jaq) echo src/main.rs ;; rayon) echo src/lib.rs ;; esac; }
binary() { case $1 in ripgrep) echo rg ;; jaq) echo jaq ;; esac; }
zeal() { case $1 in rayon) echo 5000 ;; *) echo 100 ;; esac; }

# The fewest collections in all processes of a suite together.
collections_min=200

short=no rounds=15 parts=()
while (($#)); do
    case $1 in
    --short) short=yes rounds=3 ;;
    --rounds) rounds=${2:?--rounds needs a number} && shift ;;
    tests | time) parts+=("$1") ;;
    -h | --help) sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' "$0" && exit ;;
    *) echo "run.sh: unknown argument: $1; see --help" >&2 && exit 2 ;;
    esac
    shift
done
((${#parts[@]})) || parts=(tests time)
failures=()

fail() {
    echo "FALLS SHORT: $*"
    failures+=("$*")
}

# The sources of all packages and of what they depend on, in $work/fetched/vendor.
fetch() {
    local manifest=$work/fetched/Cargo.toml name version
    mkdir -p "$work/fetched/src" && : >"$work/fetched/src/lib.rs"
    {
        printf '[package]\nname = "fetched"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[dependencies]\n'
        while read -r name version; do echo "$name = \"$version\""; done <<<"$packages"
    } >"$manifest.new"
    if cmp -s "$manifest.new" "$manifest" && [[ -e $work/fetched/whole ]]; then return; fi
    rm -rf "$work/fetched/vendor" "$work/fetched/whole" "$work/packages"
    mv "$manifest.new" "$manifest"
    (cd "$work/fetched" && cargo vendor -q --versioned-dirs vendor >/dev/null 2>fetch.log) ||
        { cat "$work/fetched/fetch.log" && exit 2; }
    touch "$work/fetched/whole"
}

# The package that chooses the allocator.
make_heap() {
    mkdir -p "$work/heap/src"
    cp -u "$root/tests/rust_programs/heap.rs" "$work/heap/src/lib.rs"
    cat >"$work/heap/Cargo.toml.new" <<END
[package]
name = "heap"
version = "0.0.0"
edition = "2024"
[workspace]
[features]
system = []
mimalloc = ["dep:mimalloc"]
gleaner = ["dep:gleaner"]
collecting = ["gleaner", "dep:libc"]
[dependencies]
gleaner = { path = "$root", optional = true }
libc = { version = "0.2", optional = true }
mimalloc = { version = "=0.1.52", default-features = false, optional = true }
END
    cmp -s "$work/heap/Cargo.toml.new" "$work/heap/Cargo.toml" || mv "$work/heap/Cargo.toml.new" "$work/heap/Cargo.toml"
}

# A copy of each package, its own workspace, that uses `heap`.
patch_packages() {
    local name version copy file
    while read -r name version; do
        copy=$work/packages/$name
        [[ ! -d $copy ]] || continue
        mkdir -p "$work/packages" && rm -rf "$copy.new"
        cp -r "$work/fetched/vendor/$name-${version#=}" "$copy.new"
        printf '\n[dependencies.heap]\npath = "../../heap"\n\n[workspace]\n' >>"$copy.new/Cargo.toml"
        # An allocator of its own would be a second one.
        sed -i 's/^default = \["mimalloc"\]/default = []/' "$copy.new/Cargo.toml"
        file=$copy.new/$(entry "$name")
        # Before the first import or module, behind the attributes of the crate.
        sed -i -E '0,/^((pub )?use |mod |#\[macro_use\])/s//use heap as _;\n\1/' "$file"
        grep -q '^use heap as _;' "$file" || { echo "run.sh: $file has no import to patch" && exit 2; }
        # The versions are those of the package's lock file, but for the one that gleaner needs later.
        (cd "$copy.new" && cargo update -q libc)
        mv "$copy.new" "$copy"
    done <<<"$packages"
}

in_package() {
    local name=$1
    shift
    (cd "$work/packages/$name" && "$@")
}

build() {
    local name=$1 allocator=$2
    in_package "$name" cargo build -q --release --features "heap/$allocator"
    mkdir -p "$work/bin"
    cp "$CARGO_TARGET_DIR/release/$(binary "$name")" "$work/bin/$(binary "$name").$allocator"
}

# Runs the package's tests on an allocator; prints how many passed.
tests_passed() {
    local name=$1 allocator=$2 log=$work/$1.$2.log
    in_package "$name" cargo test --release --features "heap/$allocator" >"$log" 2>&1 ||
        { grep -E '^(test .*FAILED|error|gleaner:)|panicked at|^test result: FAILED' "$log" >&2; }
    awk '/^test result:/ { passed += $4; failed += $6 } END { print failed ? "none" : passed + 0 }' "$log"
}

run_tests() {
    local name expected passed allocator collections counts=$work/collections
    for name in "$@"; do
        expected=$(tests_passed "$name" system)
        ((expected > 0)) || { echo "run.sh: the tests of $name do not pass as they are" && exit 2; }
        for allocator in gleaner collecting; do
            : >"$counts"
            if [[ $allocator = collecting ]]; then
                export HEAP_COUNTS=$counts GLEANER_OPTIONS=zeal=$(zeal "$name"):poison=1
            fi
            passed=$(tests_passed "$name" "$allocator")
            unset HEAP_COUNTS GLEANER_OPTIONS
            collections=$(awk '{ sum += $1 } END { print sum + 0 }' "$counts")
            printf '%-10s %-11s %4s of %s tests passed, %s collections\n' "$name" "$allocator" "$passed" "$expected" \
                "$collections"
            [[ $passed = "$expected" ]] || fail "$name on $allocator: its tests: see $work/$name.$allocator.log"
            if [[ $allocator = collecting ]] && ((collections < collections_min)); then
                fail "$name: $collections collections: too few to have tested anything"
            fi
        done
    done
}

make_input() {
    [[ -s $work/data.json ]] && return
    "$work/bin/jaq.system" -nc '[range(150000) | {id: ., name: "name \(.)", tags: ["a\(. % 7)", "b\(. % 11)"],
        nested: {x: (. * 1.5), y: [., . + 1, . + 2], deep: {k: "v\(. % 100)"}}}]' >"$work/data.json"
}

# same_output BINARY ARGUMENT...: whether all builds print the same, in any order of lines.
same_output() {
    local binary=$1 allocator sums
    shift
    sums=$(for allocator in system mimalloc gleaner collecting; do
        "$work/bin/$binary.$allocator" "$@" | sort | md5sum
    done | sort -u | wc -l)
    ((sums == 1)) || fail "$binary $*: the builds print different things"
}

# turns BINARY WORK...
turns() {
    local binary=$1 judged=(--judged gleaner)
    shift
    [[ $short = no ]] || judged=()
    "$harness" turns --program "bin/$binary" --builds system,mimalloc,gleaner,collecting --peer mimalloc "${judged[@]}" \
        --rounds "$rounds" -- "$@" || fail "$binary takes more time than on mimalloc"
}

run_time() {
    local name allocator data=fetched/vendor
    for name in ripgrep jaq; do
        for allocator in system mimalloc gleaner collecting; do build "$name" "$allocator"; done
    done
    make_input
    cd "$work"
    same_output rg -c unsafe "$data"
    same_output jaq -c '.[0:1000]' data.json
    turns rg "-c unsafe $data" "-j1 -n [A-Z][a-z]+Error $data" "--json -j2 fn\s $data" \
        "-U -c struct\s+\w+\s*\{[^}]*\} $data" "--files $data" "--version"
    turns jaq "-c . data.json" "map(.nested.deep.k)|group_by(.)|map(length) data.json" \
        "map(.tags|join(\",\"))|unique data.json" "[.[]|tojson|fromjson|.id]|add data.json"
    cd "$root"
}

fetch
make_heap
patch_packages
for part in "${parts[@]}"; do
    case $part:$short in
    tests:yes) run_tests ripgrep ;;
    tests:no) run_tests ripgrep jaq rayon ;;
    time:*) run_time ;;
    esac
done
if ((${#failures[@]})); then
    printf '\nfalls short:\n'
    printf '  %s\n' "${failures[@]}"
    exit 1
fi
printf '\nRust programs hold\n'
