#!/usr/bin/env bash
# The headers of include/libgc: each compiles alone under every standard of C and C++, without one warning, and all of them
# together say what Debian's say: the same macros, functions, variables, types, members and numbers. What is compared is
# what the compiler has understood.
#
# Functions that no library exports are left out of ours: no program that calls one can be linked.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/common/packages.sh

include=$PWD/include/libgc
theirs=/usr/include
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
install_packages "$scratch/packages" gcc g++ binutils libgc1 libgc-dev
failures=0

fail() {
    echo "FAILED  $1"
    [ -z "${2-}" ] || head -n 20 "$2" | sed 's/^/        /'
    failures=$((failures + 1))
}

# ---- Each alone, and twice -------------------------------------------------------------------------------------------

C_HEADERS="gc.h gc/gc.h gc/gc_backptr.h gc/gc_disclaim.h gc/gc_gcj.h gc/gc_inline.h gc/gc_mark.h gc/gc_tiny_fl.h gc/gc_typed.h
           gc/javaxfc.h gc/leak_detector.h gc/gc_version.h"
CXX_HEADERS="gc_cpp.h gc/gc_cpp.h gc/gc_allocator.h"

# standard COMPILER LANGUAGE STANDARD HEADER...
standard() {
    local compiler=$1 language=$2 version=$3 header settings bad=0
    shift 3
    for header in "$@"; do
        printf '#include <%s>\n#include <%s>\nint used;\n' "$header" "$header" >"$scratch/alone.c"
        for settings in "" "-DGC_THREADS -DGC_DEBUG" "-DGC_THREADS -DGC_NAMESPACE -DGC_ATOMIC_UNCOLLECTABLE -DGC_INCLUDE_NEW"; do
            # shellcheck disable=SC2086 # a list of words
            "$compiler" -x "$language" -std="$version" -Wall -Wextra -pedantic -Werror $settings -I"$include" -fsyntax-only \
                "$scratch/alone.c" 2>"$scratch/log" || { fail "$compiler -std=$version $settings: $header" "$scratch/log"; bad=1; }
        done
    done
    [ $bad -eq 1 ] || echo "ok      $compiler -std=$version"
}

for pair in gcc:g++ clang:clang++; do
    command -v "${pair%%:*}" >/dev/null && command -v "${pair##*:}" >/dev/null || continue
    for version in c89 c99 c11 c17 c2x; do
        standard "${pair%%:*}" c "$version" $C_HEADERS
    done
    for version in c++98 c++11 c++14 c++17 c++20 c++2b; do
        standard "${pair##*:}" c++ "$version" $C_HEADERS $CXX_HEADERS
    done
done

# ---- What they say ---------------------------------------------------------------------------------------------------

# Ours are written in another way, and have other tests: allocation without a call and the size of the heap by programs,
# versions by number.
OTHERWISE='GC_INIT_CONF_INITIAL_HEAP_SIZE|GC_FAST_MALLOC_GRANS|GC_GNUC_PREREQ|GC_WORDS_TO_GRANULES|GC_(TMP_)?VERSION_M[A-Z]*|GC_[A-Z_]*_H'

# macros FOLDER SETTING...: all macros, without the spaces.
macros() {
    local folder=$1
    shift
    gcc -dM -E "$@" -I"$folder" -x c tests/libgc/headers/all.h | sed -nE 's/^#define ((__)?GC|pthread_|dlopen|HIDE_|REVEAL_)/\1/p' |
        grep -vE "^($OTHERWISE)\>" | tr -d ' ' | sort
}

for settings in "" "-DGC_THREADS" "-DGC_THREADS -DGC_DEBUG" "-DGC_DEBUG_REPLACEMENT" "-DGC_THREADS -DGC_MARKERS=2 -DGC_DONT_GC \
-DGC_DONT_EXPAND -DGC_FREE_SPACE_DIVISOR=5 -DGC_INITIAL_HEAP_SIZE=1000 -DGC_MAXIMUM_HEAP_SIZE=9000000 -DGC_FULL_FREQ=3 \
-DGC_TIME_LIMIT=7 -DGC_IGNORE_WARN -DGC_SIG_SUSPEND=10 -DGC_SIG_THR_RESTART=12 -DGC_ALLOCD_BYTES_PER_FINALIZER=9 \
-DGC_FORCE_UNMAP_ON_GCOLLECT -DGC_I_HIDE_POINTERS -DGC_NO_DLOPEN"; do
    # shellcheck disable=SC2086 # a list of words
    { macros "$theirs" $settings >"$scratch/macros.theirs"; macros "$include" $settings >"$scratch/macros.ours"; }
    [ "$(wc -l <"$scratch/macros.theirs")" -gt 130 ] || fail "macros of Debian's headers are not found"
    if diff "$scratch/macros.theirs" "$scratch/macros.ours" >"$scratch/difference"; then
        echo "ok      $(wc -l <"$scratch/macros.ours") macros $settings"
    else
        fail "macros differ: $settings" "$scratch/difference"
    fi
done

# Functions that Debian's headers declare and its library exports, variables, and types.
gcc -w -x c -DGC_THREADS -I"$theirs" -fsyntax-only -aux-info "$scratch/functions" tests/libgc/headers/all.h
nm -D --defined-only /usr/lib/x86_64-linux-gnu/libgc.so.1 | awk '{ print $3, $2 }' | sort >"$scratch/exports"
sed -nE 's/.*[ *](GC_[A-Za-z0-9_]+) \(.*/\1/p' "$scratch/functions" | sort -u | join - "$scratch/exports" | cut -d' ' -f1 >"$scratch/names"
gcc -w -E -DGC_THREADS -I"$theirs" -x c tests/libgc/headers/all.h | grep -oE '\<GC_[A-Za-z0-9_]+' | sort -u >"$scratch/words"
join "$scratch/words" "$scratch/exports" | awk '$2 != "T" { print $1 }' >"$scratch/variables"
TYPES="GC_PTR GC_word GC_signed_word GC_oom_func GC_on_heap_resize_proc GC_EventType GC_on_collection_event_proc
       GC_on_thread_event_proc GC_finalizer_notifier_proc GC_stop_func GC_finalization_proc GC_ToggleRefStatus GC_toggleref_func
       GC_await_finalize_proc GC_warn_proc GC_abort_func GC_hidden_pointer GC_fn_type GC_stack_base_func
       GC_has_static_roots_func GC_mark_proc GC_describe_type_fn GC_start_callback_proc GC_push_other_roots_proc
       GC_reachable_object_proc GC_bitmap GC_descr GC_disclaim_proc GC_ref_kind"
CONSTANTS="GC_VERSION_MAJOR GC_VERSION_MINOR GC_VERSION_MICRO GC_WORDS_TO_GRANULES(7) GC_GNUC_PREREQ(3,9) GC_GNUC_PREREQ(99,0)
           GC_EVENT_START GC_EVENT_MARK_END GC_EVENT_END GC_EVENT_POST_STOP_WORLD GC_EVENT_THREAD_UNSUSPENDED
           GC_TOGGLE_REF_DROP GC_TOGGLE_REF_STRONG GC_TOGGLE_REF_WEAK GC_UNREFERENCED GC_FINALIZER_REFD GC_REFD_FROM_HEAP"
MEMBERS="GC_timeval_s:tv_ms GC_timeval_s:tv_nsec GC_stack_base:mem_base GC_finalizer_closure:proc GC_finalizer_closure:cd
         GC_ms_entry:opaque GC_prof_stats_s:heapsize_full GC_prof_stats_s:free_bytes_full GC_prof_stats_s:unmapped_bytes
         GC_prof_stats_s:bytes_allocd_since_gc GC_prof_stats_s:allocd_bytes_before_gc GC_prof_stats_s:non_gc_bytes
         GC_prof_stats_s:gc_no GC_prof_stats_s:markers_m1 GC_prof_stats_s:bytes_reclaimed_since_gc
         GC_prof_stats_s:reclaimed_bytes_before_gc GC_prof_stats_s:expl_freed_bytes_since_gc
         GC_prof_stats_s:obtained_from_os_bytes"

{
    printf '#include "%s"\n#include <cstdio>\n#include <typeinfo>\nint main() {\n' "$PWD/tests/libgc/headers/all.h"
    for name in $(cat "$scratch/names" "$scratch/variables"); do
        printf 'std::printf("%%s %%s\\n", "%s", typeid(decltype(%s)).name());\n' "$name" "$name"
    done
    for name in $TYPES; do
        printf 'std::printf("%%s %%s %%zu\\n", "%s", typeid(%s).name(), sizeof(%s));\n' "$name" "$name" "$name"
    done
    for name in $CONSTANTS; do
        printf 'std::printf("%%s %%ld\\n", "%s", long(%s));\n' "$name" "$name"
    done
    for member in $MEMBERS; do
        type=${member%%:*}
        field=${member##*:}
        printf 'std::printf("%%s %%zu %%zu %%s\\n", "%s", sizeof(struct %s), __builtin_offsetof(struct %s, %s), typeid(static_cast<%s *>(nullptr)->%s).name());\n' \
            "$member" "$type" "$type" "$field" "$type" "$field"
    done
    echo '}'
} >"$scratch/say.cc"

# say FOLDER: what its headers say.
say() {
    g++ -std=c++17 -w -DGC_THREADS -I"$1" -o "$scratch/say" "$scratch/say.cc" 2>"$scratch/log" && "$scratch/say"
}

say "$theirs" >"$scratch/said.theirs" || fail "Debian's headers" "$scratch/log"
functions=$(wc -l <"$scratch/names")
[ "$functions" -ge 240 ] || fail "only $functions functions are found in Debian's headers"
if say "$include" >"$scratch/said.ours" && diff "$scratch/said.theirs" "$scratch/said.ours" >"$scratch/log"; then
    echo "ok      $functions functions, $(wc -l <"$scratch/variables") variables, types, members and numbers"
else
    fail "declarations differ" "$scratch/log"
fi

# ---- The judge is judged ---------------------------------------------------------------------------------------------

# planted WHAT SED: with such a change, made by SED in gc.h, a difference is found.
planted() {
    rm -rf "$scratch/planted"
    cp -r "$include" "$scratch/planted"
    sed -i "$2" "$scratch/planted/gc/gc.h"
    cmp -s "$include/gc/gc.h" "$scratch/planted/gc/gc.h" && { fail "$1 could not be planted"; return; }
    if say "$scratch/planted" | diff -q - "$scratch/said.ours" >/dev/null &&
        macros "$scratch/planted" | diff -q - <(macros "$include") >/dev/null; then
        fail "$1 was not noticed"
    else
        echo "ok      $1 is noticed"
    fi
}

planted "a planted result type" 's/GC_API int GC_CALL GC_is_heap_ptr/GC_API long GC_CALL GC_is_heap_ptr/'
planted "a planted number" 's/#define GC_NOT_FOUND 4/#define GC_NOT_FOUND 5/'
planted "a planted order of events" 's/^    GC_EVENT_END,$//; s/^    GC_EVENT_START,$/    GC_EVENT_START, GC_EVENT_END,/'

echo "$failures failures"
[ $failures -eq 0 ]
