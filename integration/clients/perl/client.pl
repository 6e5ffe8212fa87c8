#!/usr/bin/perl
# A client on Gearman::Client: client.pl HOST PORT [exceptions]
# What it reads and prints: ../doc.go. TLS as in worker.pl.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Gearman::Client;
use Storable ();
use TLS;

$| = 1;
my ($host, $port, $exceptions) = @ARGV;

sub connected {
    return Gearman::Client->new(
        job_servers => [TLS::server($host, $port)],
        exceptions  => $exceptions ? 1 : 0,
    );
}

my $client = connected();

sub hex_line { print "$_[0] ", unpack('H*', ${ $_[1] }), "\n" }

# bare takes the server's address off a handle as Gearman::Client shows it.
sub bare { $_[0] =~ s{^.*//}{}r }

# thawed undoes what Gearman::Worker does to the words of a die. Other workers
# send theirs as they are.
sub thawed {
    my ($bytes) = @_;
    my $words = eval { Storable::thaw($bytes) };
    return ref $words ? $$words =~ s/\n\z//r : $bytes;
}

sub task {
    my ($function, $priority, $unique, $hex) = @_;
    my $failed = 0;
    return Gearman::Task->new(
        $function,
        \pack('H*', $hex // ''),
        {
            priority     => $priority,
            uniq         => $unique eq 'none' ? '' : $unique,
            on_data      => sub { hex_line('data',     $_[0]) },
            on_warning   => sub { hex_line('warning',  $_[0]) },
            on_complete  => sub { hex_line('complete', $_[0]) },
            on_status    => sub { print "status $_[0] $_[1]\n" },
            on_exception => sub { hex_line('exception', \thawed($_[0])) },
            on_fail      => sub { print "fail\n" unless $failed++ },
        }
    );
}

sub run {
    my $set    = $client->new_task_set;
    my $handle = $set->add_task(task(@_));
    print 'created ', bare($handle), "\n" if $handle;
    $set->wait;
}

sub bg {
    my $handle = $client->dispatch_background(task(@_));
    print $handle ? 'created ' . bare($handle) . "\n" : "error not submitted\n";
}

sub state {
    my $status = $client->get_status("$host:$port//$_[0]") or return print "error no status\n";
    my $progress = $status->progress || [0, 0];
    printf "state %d %d %d %d\n", $status->known, $status->running, @$progress;
}

sub many {
    my ($function, $count) = @_;
    my $right = 0;
    my $set   = $client->new_task_set;
    for my $i (1 .. $count) {
        my $payload = "payload $i";
        $set->add_task($function, $payload, { on_complete => sub { $right++ if ${ $_[0] } eq reverse $payload } });
    }
    $set->wait;
    print "right $right\n";
}

my %answer = (run => \&run, bg => \&bg, state => \&state, many => \&many);

while (defined(my $line = readline STDIN)) {
    chomp $line;
    my ($verb, @words) = split / /, $line;
    eval { $answer{$verb}->(@words); 1 } or do {
        print "error ", join(' ', split ' ', $@), "\n";
        $client = connected();
    };
    print "end\n";
}
