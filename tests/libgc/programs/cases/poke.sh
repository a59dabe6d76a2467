# poke: pickles on a large file, a machine that compiles to native code and whose stacks are roots.

packages=poke

prepare() {
    cp "$here/cases/poke/records.pk" .
    sed -i "s/amount_of_work/$scale/" records.pk
    perl -e 'my $n = shift; my $seed = 42; sub r { $seed = $seed * 16807 % 2147483647; $seed % $_[0] }
        print pack("L<L<", 0x52454331, $n);
        for (1 .. $n) {
            my $k = r(6); my $name = "name" . r(1000);
            print pack("S<CC", $_ & 0xffff, $k, length $name), $name, "\0", pack("S<*", map { r(65536) } 1 .. $k), pack("Q<", r(1 << 30));
        }' $((scale * 1800)) >records.bin
}

commands() {
    poke --quiet --no-init-file --no-hserver -L ../input/records.pk
}
