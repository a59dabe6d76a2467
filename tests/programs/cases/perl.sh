# perl: hashes, sorting, closures, regular expressions, formats, and cycles of references, which perl itself leaks.

packages=perl
zeal=120000

prepare() {
    cat >program.pl <<'END'
use strict;
use warnings;
my $scale = $ENV{scale};
my (%count, @nodes);
for my $i (1 .. $scale * 200000) {
    my $key = "key" . ($i * 7919 % 250007);
    $count{$key}{total} += $i;
    push @{ $count{$key}{seen} }, $i % 10;
}
my @order = sort { $count{$b}{total} <=> $count{$a}{total} || $a cmp $b } keys %count;
print scalar(@order), " keys, first $order[0] $count{$order[0]}{total}, last $order[-1]\n";
for my $i (1 .. $scale * 50000) {
    my $node = { name => "node $i", payload => "x" x ($i % 100) };
    $node->{self} = $node;
    push @nodes, $node if $i % 1000 == 0;
}
print scalar(@nodes), " cycles kept: ", join(",", map { length $_->{self}{payload} } @nodes), "\n";
my $text = join " ", map { "word$_ <tag$_> " . ($_ * 31 % 97) } 1 .. $scale * 50000;
my $changed = ($text =~ s/<(tag\d+)>/{\U$1\E}/g);
my %sums;
$sums{ $1 % 7 } += $2 while $text =~ /word(\d+) \S+\s+(\d+)/g;
print "$changed tags, sums ", join(" ", map { "$_:$sums{$_}" } sort keys %sums), "\n";
my @adders = map { my $n = $_; sub { $n += shift } } 1 .. $scale * 5000;
my $sum = 0;
for my $round (1 .. 20) { $sum += $_->($round) for @adders }
print "closures $sum\n";
my @parts = map { sprintf "%08.3f|%-10s|%x", $_ / 7, "s$_", $_ * 2654435761 } 1 .. $scale * 50000;
print unpack("%32C*", join "\n", @parts), "\n";
eval { die { code => 42 } };
print "caught $@->{code}\n";
print STDERR "warned\n";
exit 3;
END
}

commands() {
    expect 3 perl ../input/program.pl
}
