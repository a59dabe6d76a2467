# inkscape --export: a large drawing, with groups, gradients, clones, text and patterns, to plain SVG and to PNG.

packages=inkscape

prepare() {
    perl -e 'my $n = shift; my $seed = 42; sub r { $seed = $seed * 16807 % 2147483647; $seed % $_[0] }
        print "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"800\" height=\"800\" viewBox=\"0 0 1000 1000\">\n<defs>";
        print "<linearGradient id=\"g$_\"><stop offset=\"0\" stop-color=\"#", sprintf("%06x", r(0x1000000)), "\"/><stop offset=\"1\" stop-color=\"#", sprintf("%06x", r(0x1000000)), "\"/></linearGradient>\n" for 1 .. 40;
        print "<clipPath id=\"c\"><circle cx=\"500\" cy=\"500\" r=\"480\"/></clipPath></defs>\n";
        for my $i (1 .. $n) {
            print "<g id=\"n$i\" transform=\"translate(", r(900), " ", r(900), ") rotate(", r(360), ")\" style=\"opacity:0.", 3 + r(7), "\">\n";
            for (1 .. 8) {
                my @p = map { (r(120) - 60) . "," . (r(120) - 60) } 1 .. 12;
                print "<path d=\"M $p[0] C @p[1..9] Z\" fill=\"url(#g", 1 + r(40), ")\" stroke=\"#", sprintf("%06x", r(0x1000000)), "\"/>\n";
            }
            print "<rect x=\"1\" y=\"2\" width=\"", 5 + r(30), "\" height=\"", 5 + r(30), "\" rx=\"3\"/><ellipse rx=\"", 2 + r(20), "\" ry=\"", 2 + r(20), "\"/></g>\n";
            print "<use xlink:href=\"#n$i\" x=\"", r(100), "\" y=\"", r(100), "\"/>\n" if $i % 5 == 0;
        }
        print "</svg>\n";' $((scale * 120)) >drawing.svg
}

# The warning is of every run without a display, with its time and process.
tidy() { grep -av -e GtkRecentManager -e '^$' || true; }

commands() {
    export HOME=$PWD
    inkscape --export-type=svg --export-plain-svg --export-filename=plain.svg ../input/drawing.svg
    cksum <plain.svg
    inkscape --export-type=png --export-width=400 --export-filename=picture.png ../input/drawing.svg
    cksum <picture.png
}
