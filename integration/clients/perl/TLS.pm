package TLS;

# Describes a job server to Gearman::Client and Gearman::Worker. The environment
# turns TLS on: GEARMAN_TLS_CA, and for a client certificate GEARMAN_TLS_CERT
# and GEARMAN_TLS_KEY (names of PEM files).
use strict;
use warnings;

sub server {
    my ($host, $port) = @_;
    my %server = (host => $host, port => $port);
    if ($ENV{GEARMAN_TLS_CA}) {
        $server{use_ssl}   = 1;
        $server{ca_file}   = $ENV{GEARMAN_TLS_CA};
        $server{cert_file} = $ENV{GEARMAN_TLS_CERT} if $ENV{GEARMAN_TLS_CERT};
        $server{key_file}  = $ENV{GEARMAN_TLS_KEY} if $ENV{GEARMAN_TLS_KEY};
    }
    return \%server;
}

1;
