# perl: hashes, sorting, closures, regular expressions, formats, and cycles of references, which perl itself leaks. And its
# threads, each of which has a copy of everything, with a queue, shared data and children.

packages=perl
variants=(language threads)
zeal=(120000 10000)

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
    cat >threads.pl <<'END'
use strict;
use warnings;
use threads;
use threads::shared;
use Thread::Queue;
my $scale = $ENV{scale};
my $queue = Thread::Queue->new;
my %seen :shared;
my @workers = map {
    threads->create(sub {
        my (%own, $sum);
        while (defined(my $item = $queue->dequeue)) {
            $sum += length($own{"key" . $item % 997} .= "x$item");
            lock %seen;
            $seen{$item % 100}++;
        }
        return %own ? 1 : 0;
    })
} 1 .. 4;
$queue->enqueue($_) for 1 .. $scale * 3000;
$queue->end;
my ($ended, $total) = (0, 0);
$ended += $_->join for @workers;
$total += $_ for values %seen;
print "$ended $total ", scalar(keys %seen), "\n";
for my $round (1 .. $scale) {
    my @threads = map {
        my $n = $_;
        threads->create(sub {
            my @list = map { { n => $_, text => "s" x (($_ + $n) % 50) } } 1 .. 500;
            my $length = 0;
            $length += length $_->{text} for @list;
            return [$n, $length];
        });
    } 1 .. 8;
    print join(" ", map { my $result = $_->join; "$result->[0]:$result->[1]" } @threads), "\n";
}
my @children;
for my $i (1 .. $scale * 4) {
    my $child = fork // die;
    if (!$child) {
        my %table = map { ("a$_" => [1 .. 5]) } 1 .. 2000;
        exit(keys(%table) == 2000 ? $i % 50 : 99);
    }
    push @children, $child;
}
print join(" ", map { waitpid($_, 0); $? >> 8 } @children), "\n";
print `perl -e 'print join(",", map { \$_ * 2 } 1 .. 10)'`, "\n";
pipe(my $reader, my $writer);
if (!fork) {
    close $reader;
    print $writer "line $_\n" for 1 .. $scale * 5000;
    close $writer;
    exit 0;
}
close $writer;
my $length = 0;
$length += length while <$reader>;
wait;
print "$length\n";
exit 3;
END
}

commands() {
    local program=program.pl
    [[ $1 = language ]] || program=threads.pl
    expect 3 perl ../input/$program
}
