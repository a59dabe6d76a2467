# coreutils: pipelines of sorting, joining, counting, encoding and walking a tree; tsort allocates for each edge.

packages='coreutils findutils'
short=yes
zeal=10000

prepare() {
    awk -v n=$((scale * 100000)) 'BEGIN {
        seed = 1
        for (i = 0; i < n; i++) { seed = (seed * 16807) % 2147483647; print seed % 100000, i, "line-" seed % 977 }
    }' >table
    awk -v n=$((scale * 40000)) 'BEGIN { for (i = 1; i < n; i++) print int(i / 3), i }' >edges
    mkdir tree
    (cd tree && seq 1 $((scale * 500)) | split -l 1 -a 4 - file-)
}

commands() {
    sort -n ../input/table | md5sum
    sort -k3,3 -k1,1nr --parallel=2 -S 2M ../input/table | uniq -c -f 2 | md5sum
    cut -d' ' -f1 ../input/table | sort -u | wc
    join -j 2 -o 1.1,2.3 <(sort -k2,2 ../input/table) <(sort -k2,2 ../input/table) | md5sum
    comm -12 <(cut -d' ' -f1 ../input/table | sort -u) <(cut -d' ' -f2 ../input/table | sort -u) | wc -l
    tsort ../input/edges | md5sum
    shuf --random-source=../input/table ../input/edges | head -n 3
    tac ../input/table | tr a-z A-Z | fold -w 20 | paste - - - | base64 | md5sum
    factor 1234567890123456789012345678901 $((2 ** 62 - 1))
    seq 1 0.25 $((scale * 8000)) | numfmt --to=iec | md5sum
    split -n l/7 ../input/table part-
    sha256sum part-*
    cp -r ../input/tree copy
    ls -lR --time-style=+ copy | cut -d' ' -f5- | md5sum
    find copy -name '*a' -print0 | sort -z | xargs -0 cat | sum
    du -a --apparent-size copy | sort | md5sum
    expr 7 \* 6
    date -d @1000000000 +%c
    env | grep -c '^PATH='
    rm -r copy
}
