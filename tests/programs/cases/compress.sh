# xz, zstd, pigz and bzip2: packing by several threads, the result the same to the byte, and back.

packages='xz-utils zstd pigz bzip2'
variants=(xz zstd pigz)
zeal=(5 5 20)

prepare() {
    awk -v n=$((scale * 100000)) 'BEGIN { for (i = 1; i <= n; i++) print i * 7919 % 1000003, "line of text", i }' >plain
}

commands() {
    case $1 in
    xz)
        xz -T 2 -1 --block-size=256KiB -c ../input/plain >packed
        head -c 2000000 ../input/plain | bzip2 | md5sum
        ;;
    zstd) zstd -q -T2 -5 -B1MiB -c ../input/plain >packed ;;
    pigz) pigz -p 3 -b 128 -n -c ../input/plain >packed ;;
    esac
    md5sum packed
    "$1" -dc packed | cmp - ../input/plain
    expect 1 "$1" -dc ../input/plain 2>/dev/null
}
