# man: a page of its own with tables, through the formatter, as text and as a file of PostScript. Its helpers run under a
# filter of system calls, and collect all the same.

packages='man-db groff'
zeal=5000

prepare() {
    awk -v n=$((scale * 50)) 'BEGIN {
        print "'"'"'\\\" t\n.TH GLEANER 1 2020-01-01 one \"A page\"\n.SH NAME\ngleaner \\- a page"
        for (i = 1; i <= n; i++) {
            printf ".SH \"SECTION %d\"\n.TP\n.BI \\-x \" %d\"\nText of \\fIoption\\fR %d, some words of it.\n", i, i, i
            printf ".TS\nallbox;\nl r.\nkey %d\tvalue\nlonger key\t%d\n.TE\n.PP\nMore \\(em and more.\n", i, i * 7919
        }
    }' >gleaner.1
}

commands() {
    man -P cat -l ../input/gleaner.1 | md5sum
    man -P cat -Tps -l ../input/gleaner.1 | grep -v -i date | md5sum
    expect 16 man -P cat nonsense
    lexgrog ../input/gleaner.1
}
