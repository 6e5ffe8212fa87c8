#!/usr/bin/perl
# What gearman -w runs for every job: behave.pl FUNCTION BEHAVIOUR, with the
# payload on stdin and the result on stdout. The test listens on descriptor 3
# and talks on descriptor 4 (see worker.pl).
use strict;
use warnings;

my ($function, $behaviour) = @ARGV;
binmode $_ for \*STDIN, \*STDOUT;
my $payload = do { local $/; readline(STDIN) // '' };

open my $say, '>&=', 3 or die "descriptor 3: $!";
$say->autoflush(1);
print $say "job $function ", unpack('H*', substr $payload, 0, 32), "\n";

exit 1 if $behaviour eq 'fail';
if ($behaviour eq 'hold') {
    open my $hear, '<&=', 4 or die "descriptor 4: $!";
    # Unbuffered: the next line may be for the next job's process.
    while (sysread $hear, my $char, 1) { last if $char eq "\n" }
}
print scalar reverse $payload;
