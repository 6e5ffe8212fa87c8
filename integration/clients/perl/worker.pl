#!/usr/bin/perl
# A worker on Gearman::Worker: worker.pl HOST PORT FUNCTION=BEHAVIOUR[=MILLISECONDS]...
# What it prints and reads: ../doc.go. With GEARMAN_TLS_CA in the environment
# it speaks TLS (see TLS.pm beside this file).
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Gearman::Worker;
use TLS;

$| = 1;
my ($host, $port, @specs) = @ARGV;
my $worker = Gearman::Worker->new(
    job_servers => [TLS::server($host, $port)],
    client_id   => 'perl',
);

sub announce {
    my ($job) = @_;
    printf "job %s %s\n", $job->{func}, unpack 'H*', substr ${ $job->argref }, 0, 32;
}

# reversed returns a reference, since the worker takes a plain "0" or "" for
# no result at all.
sub reversed {
    my ($job) = @_;
    my $result = reverse ${ $job->argref };
    return \$result;
}

sub await_go { defined(readline STDIN) or exit }

my %behaviour = (
    reverse  => sub { announce($_[0]); reversed($_[0]) },
    hold     => sub { announce($_[0]); await_go(); reversed($_[0]) },
    progress => sub { $_[0]->set_status(3, 10); announce($_[0]); await_go(); reversed($_[0]) },
    data     => sub {
        announce($_[0]);
        $worker->send_work_data($_[0], $_) for qw(one two);
        return 'done';
    },
    warning => sub {
        announce($_[0]);
        $worker->send_work_warning($_[0], 'careful');
        return 'done';
    },
    fail      => sub { announce($_[0]); undef },
    exception => sub { announce($_[0]); die "boom\n" },
);

for (@specs) {
    my ($function, $name, $milliseconds) = split /=/;
    $worker->register_function($function, $milliseconds, $behaviour{$name});
}

# work returns only when stop_if says so, and dies of packets that it does not
# expect.
eval { $worker->work; 1 } or do {
    print "error ", join(' ', split ' ', $@), "\n";
    exit 1;
};
