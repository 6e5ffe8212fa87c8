#!/usr/bin/perl
# The gearman tool as a worker: worker.pl HOST PORT FUNCTION=BEHAVIOUR...
# What it prints and reads: ../doc.go. One "gearman -w" serves each function.
use strict;
use warnings;
use FindBin;
use POSIX ();

my ($host, $port, @specs) = @ARGV;

# The programs that gearman runs talk to the test on descriptors 3 and 4.
POSIX::dup2(1, 3);
POSIX::dup2(0, 4);

for (@specs) {
    my ($function, $behaviour) = split /=/;
    next if fork;
    open STDIN,  '<', '/dev/null';
    open STDOUT, '>', '/dev/null';
    exec 'gearman', '-w', '-h', $host, '-p', $port, '-f', $function, '--', 'perl', "$FindBin::Bin/behave.pl", $function, $behaviour;
}
1 while wait > 0;
