#!/usr/bin/env bash
# man formats a page through programs that run under a filter of system calls: the same page as without us.
set -euo pipefail
library=$1/libgleaner_malloc.so
scratch=$2
command -v man >/dev/null && command -v groff >/dev/null || { echo "skipped: man.sh: there is no man"; exit 0; }
cat >"$scratch/page.1" <<'PAGE'
.TH PAGE 1
.SH NAME
page \- shown by man
.SH DESCRIPTION
.TS
l l.
one	two
three	four
.TE
A page.
PAGE
MANWIDTH=80 man -P cat -l "$scratch/page.1" >"$scratch/plain" 2>&1
MANWIDTH=80 LD_PRELOAD=$library man -P cat -l "$scratch/page.1" >"$scratch/preloaded" 2>&1
grep -q 'A page' "$scratch/plain"
diff "$scratch/plain" "$scratch/preloaded"
MANWIDTH=80 LD_PRELOAD=$library GLEANER_OPTIONS=zeal=200:verify=1 man -P cat -l "$scratch/page.1" >"$scratch/preloaded" 2>&1
diff "$scratch/plain" "$scratch/preloaded"
