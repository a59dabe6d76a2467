# w3m -dump: nothing but malloc, realloc and free of a plain client, on a large page of tables, lists and forms.

packages=w3m
short=yes

prepare() {
    perl -e 'my $n = shift; my $seed = 42; sub r { $seed = $seed * 16807 % 2147483647; $seed % $_[0] }
        print "<html><head><title>A large page</title></head><body><h1>Contents</h1><ul>\n";
        print "<li><a href=\"#s$_\">Section $_</a></li>\n" for 1 .. $n;
        print "</ul>\n";
        for my $s (1 .. $n) {
            print "<h2 id=\"s$s\">Section $s &amp; more</h2>\n<p>", join(" ", map({; "word" . r(1000) } 1 .. 200)), "</p>\n<table border=1>\n";
            print "<tr>", map({; "<td colspan=" . (1 + ($_ == 3 && r(2))) . " align=" . (r(2) ? "left" : "right") . "><b>" . r(100000) . "</b> cell</td>" } 1 .. 6), "</tr>\n" for 1 .. 12;
            print "</table>\n<dl>", map({; "<dt>Term $_</dt><dd><i>", join(" ", map({; "x" x (1 + r(12)) } 1 .. 15)), "</i></dd>" } 1 .. 5), "</dl>\n";
            print "<form action=none><input type=text value=\"$s\"><select><option>one<option>two</select></form><pre>\n", map({; " " x r(20) . "line $_ &lt;$s&gt;\n" } 1 .. 10), "</pre>\n";
        }
        print "</body></html>\n";' $((scale * 220)) >page.html
}

commands() {
    w3m -dump -T text/html -cols 100 ../input/page.html
    w3m -dump_extra -T text/html -cols 60 ../input/page.html | tail -n 1000
}
