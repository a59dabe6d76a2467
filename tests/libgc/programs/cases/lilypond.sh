# lilypond: a score of several pages for a string quartet and voices with words: Guile 2.2 with many mark procedures.

packages=lilypond

prepare() {
    perl -e 'my $bars = shift; my $seed = 42; sub r { $seed = $seed * 16807 % 2147483647; $seed % $_[0] }
        my @names = qw(c d e f g a b); my @lengths = ("4 4 4 4", "8 8 4 2", "16 16 16 16 4 8. 16 4", "2. 8 8", "4. 8 2");
        sub bar { my $n = 0; join " ", map { my $x = $names[r(7)] . ("", "is", "es")[r(20) < 2 ? 1 + r(2) : 0] . ("", "\x27")[r(2)] . $_;
            $n++; $x . ($n == 1 ? "(" . ("", "\\f", "\\p", "\\<")[r(4)] : $n == 3 ? ")" . ("-.", "->", "")[r(3)] : "") } split " ", $lengths[r(5)] }
        sub part { join "\n", map { my $b = bar(); $b .= ")" if $b =~ tr/(// > $b =~ tr/)//; "  $b" . (($b =~ /\\</) ? "\\!" : "") . " |" } 1 .. $bars }
        print "\\version \"2.24.0\"\n\\header { title = \"Study\" composer = \"Nobody\" tagline = ##f }\n";
        print "$_ = \\relative c\x27 {\n  \\time 4/4 \\key g \\major\n", part(), "\n}\n" for qw(one two three four);
        print "words = \\lyricmode { ", join(" ", map { ("la", "lo", "li -- la", "hal -- le -- lu")[r(4)] } 1 .. 3 * $bars), " }\n";
        print "\\score { << \\new Staff \\new Voice = \"v\" \\one \\new Lyrics \\lyricsto \"v\" \\words \\new StaffGroup << \\new Staff \\two \\new Staff \\three ",
            "\\new Staff { \\clef bass \\four } >> \\new ChordNames \\chordmode { ", "c1 g:7 a:m f " x int($bars / 4), "} >> \\layout { } \\midi { } }\n";
    ' $((scale == 1 ? 4 : scale * 2)) >score.ly
}

commands() {
    lilypond --loglevel=WARN -dno-point-and-click --ps -o score ../input/score.ly
    grep -av -e '^%%Creat' -e '^%%Title' score.ps | cksum
    cksum <score.midi
}
