# neko: variables of the library written before it starts, no roots but its own; its machine and its compilers, which are
# programs of the machine.

packages=neko
variants=(allocate threads compiler)
short=yes

prepare() {
    cp "$here"/cases/neko/*.neko .
    nekoc allocate.neko threads.neko
    perl -e 'for my $i (0 .. shift) {
        print "f$i = function(a, b) { var i = 0, all = null; while i < a { all = \$array(i, \"text $i\", all); i = i + 1; } ",
            "var o = \$new(null); o.field = function(x) { if x > $i { this.other } else switch x { 1 => \"one\" 2 => f" . ($i ? $i - 1 : 0) . "(b, a) default => try \$throw(x) catch e e } }; o.other = b * $i + a; o.field(a) };\n";
    } print "\$print(f3(1, 2), \"\\n\");\n"' $((scale * 400)) >large.neko
    perl -e 'print "type t { Leaf; Node : (t, int, t) }\n"; for my $i (0 .. shift) {
        print "function rec insert$i(x, t) { match t { | Leaf -> Node(Leaf, x, Leaf) | Node(l, y, r) -> if x < y then Node(insert$i(x, l), y, r) else Node(l, y, insert$i(x + $i, r)) } }\n";
    }' $((scale * 40)) >Large.nml
}

commands() {
    if [[ $1 = compiler ]]; then
        cp ../input/large.neko ../input/Large.nml .
        nekoc large.neko
        nekoml Large.nml
        cksum large.n Large.n
        neko large.n
    else
        neko "../input/$1.n"
    fi
}
