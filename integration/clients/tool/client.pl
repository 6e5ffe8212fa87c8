#!/usr/bin/perl
# The gearman tool as a client: client.pl HOST PORT
# What it reads and prints: ../doc.go.
use strict;
use warnings;
use File::Temp ();

$| = 1;
my ($host, $port) = @ARGV;
my %level = (low => ['-L'], normal => [], high => ['-I']);

# gearman runs the tool with a file for its stdin and returns its output and
# what it said on stderr.
sub gearman {
    my ($input, @options) = @_;
    my $in = File::Temp->new;
    print $in $input;
    close $in;
    my $err = File::Temp->new;
    my $pid = open(my $out, '-|') // die "fork: $!";
    if (!$pid) {
        open STDIN,  '<', "$in";
        open STDERR, '>', "$err";
        exec 'gearman', '-h', $host, '-p', $port, @options;
    }
    binmode $out;
    my $output = do { local $/; readline($out) // '' };
    close $out;
    my $said = do { local $/; readline($err) // '' };
    return ($output, $?, join ' ', split ' ', $said);
}

sub options {
    my ($function, $priority, $unique) = @_;
    return ('-f', $function, @{ $level{$priority} }, $unique eq 'none' ? () : ('-u', $unique));
}

sub run {
    my ($output, $status, $said) = gearman(pack('H*', $_[3] // ''), options(@_));
    return print "complete ", unpack('H*', $output), "\n" if $said eq '' && $status == 0;
    print $said =~ /fail/i ? "fail\n" : "error $said\n";
}

sub bg {
    my ($output, undef, $said) = gearman(pack('H*', $_[3] // ''), options(@_), '-b', '-v');
    return print "created $1\n" if "$output $said" =~ /Task created: (\S+)/;
    print "error $said\n";
}

# many sends its lines through 20 tools at once: each of them runs one job
# after the other.
sub many {
    my ($function, $count) = @_;
    my $share = $count / 20;
    my @tools = map {
        my $first = $_ * $share;
        my @payloads = map {"payload $_"} $first .. $first + $share - 1;
        my $pid = open(my $out, '-|') // die "fork: $!";
        if (!$pid) {
            my ($output) = gearman(join("\n", @payloads) . "\n", '-f', $function, '-N');
            print $output eq join('', map { scalar reverse } @payloads) ? $share : 0;
            exit;
        }
        $out;
    } 0 .. 19;
    my $right = 0;
    $right += readline $_ for @tools;
    print "right $right\n";
}

my %answer = (run => \&run, bg => \&bg, many => \&many);

while (defined(my $line = readline STDIN)) {
    chomp $line;
    my ($verb, @words) = split / /, $line;
    $answer{$verb}->(@words);
    print "end\n";
}
