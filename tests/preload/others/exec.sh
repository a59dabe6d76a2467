#!/usr/bin/env bash
# Whether programs that a program becomes or starts have the library: as the environment goes, always, never.
set -euo pipefail
library=$1/libgleaner_malloc.so
scratch=$2
here=$(dirname "$0")
gcc -O1 -w -fno-builtin -I"$here/.." "$here/exec.program.c" -o "$scratch/starts"
expect() {
    local expected=$1 preload=$2 options=$3 way said
    shift 3
    for way in 0 1 2 3 4 5 6 7 8 9; do
        said=$(LD_PRELOAD=$preload GLEANER_OPTIONS=$options "$scratch/starts" $way "$@" 2>&1)
        [ "$said" = "$expected" ] || { echo "exec.sh: $options, way $way, $*: '$said'"; exit 1; }
    done
}
expect preloaded "$library" exec=inherit
expect plain "$library" exec=inherit emptied
expect preloaded "$library" exec=keep
expect preloaded "$library" exec=keep emptied
expect plain "$library" exec=drop
expect plain "$library" exec=drop emptied
# Others in the list stay.
printf 'int marker;\n' | gcc -x c -shared -fPIC -o "$scratch/marker.so" -
said=$(LD_PRELOAD="$scratch/marker.so $library" GLEANER_OPTIONS=exec=drop bash -c 'echo "$LD_PRELOAD"')
[ "$said" = "$scratch/marker.so" ] || { echo "exec.sh: drop leaves '$said'"; exit 1; }
said=$(LD_PRELOAD=$library GLEANER_OPTIONS=exec=keep:verbose=1 env -i LD_PRELOAD="$scratch/marker.so" sh -c 'echo "$LD_PRELOAD $GLEANER_OPTIONS"')
[ "$said" = "$library:$scratch/marker.so exec=keep:verbose=1" ] || { echo "exec.sh: keep makes '$said'"; exit 1; }
# An environment may name the variable twice: there is room for all that both name, and more is not written.
long=$scratch/$(printf './%.0s' {1..1500})marker.so
for way in 0 1 2 3 4 5 6 7 8 9; do
    said=$(LD_PRELOAD=$library GLEANER_OPTIONS=exec=keep "$scratch/starts" $way entries "LD_PRELOAD=$long" A=1 "LD_PRELOAD=$long" B=2) || said="nothing: $?"
    expected=$(printf '%s\n' "LD_PRELOAD=$library:$long:$long" A=1 B=2 GLEANER_OPTIONS=exec=keep)
    [ "$said" = "$expected" ] || { echo "exec.sh: of two lists, way $way, becomes '$said'"; exit 1; }
done
# A program that runs with other rights than its user's is not told what the user wants: as a second user.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    place=$(mktemp -d)
    trap 'rm -r "$place"' EXIT
    chmod 755 "$place"
    install -m 4755 "$scratch/starts" "$place/set_user_id"
    said=$(setpriv --reuid=65534 --regid=65534 --clear-groups env LD_PRELOAD="$library" GLEANER_OPTIONS=exec=keep \
        "$place/set_user_id" again 2>"$scratch/of_env")
    [ "$said" = plain ] || { echo "exec.sh: as a second user it said '$said'"; exit 1; }
else
    echo "skipped: exec.sh: no second user to be"
fi
