#!/bin/sh
# Installs what the integration tests talk to: Debian packages, and the npm
# packages of integration/clients/node.
#
# Without the right to install (neither root nor sudo without a password) it
# says in one line each what is missing and which tests are therefore left
# out, and succeeds. With CI in the environment nothing may be left out: there
# whatever is missing in the end is a failure.
set -u

cd "$(dirname "$0")/clients/node" || exit 1

has_command() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
has_perl() { perl "-M$1" -e1 >/dev/null 2>&1; }
has_php() { php -r 'exit(class_exists("GearmanClient") ? 0 : 1);' >/dev/null 2>&1; }

# check PACKAGES TESTS CONDITION... adds packages to the list when the
# condition does not hold.
check() {
	packages=$1 tests=$2
	shift 2
	"$@" && return
	missing="$missing $packages"
	for package in $packages; do
		reasons="$reasons$package is not installed: $tests
"
	done
}

find_missing() {
	missing='' reasons=''
	check gearman-job-server "the twin test and the baseline of the client tests" has_command gearmand
	check gearman-tools "the tests of gearman and gearadmin" has_command gearadmin
	check "gcc libc6-dev" "the tests of libgearman, and the race detector" has_command cc
	check libgearman-dev "the tests of libgearman" test -e /usr/include/libgearman/gearman.h
	check libgearman-client-perl "the tests of Gearman::Client and Gearman::Worker" has_perl Gearman::Worker
	check libio-socket-ssl-perl "the tests of Perl over TLS" has_perl IO::Socket::SSL
	check "php-cli php-gearman" "the tests of PHP" has_php
	check nodejs "the tests of Node" has_command node
	check npm "the tests of Node" has_command npm
	check e2fsprogs "the tests of power cuts and full disks" has_command mkfs.ext4
	check xfsprogs "the tests of power cuts" has_command mkfs.xfs
	check strace "the tests of disk errors and quotas" has_command strace
	check iproute2 "the tests of bad networks" has_command tc
	check nftables "the tests of bad networks" has_command nft
	check openssl "the tests of openssl s_client" has_command openssl
}

# as_root runs a command as root, and fails where that is not allowed.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

may_install() { has_command apt-get && as_root true 2>/dev/null; }

retried() {
	for pause in 2 10 0; do
		"$@" && return
		sleep $pause
	done
	return 1
}

# hold_services keeps Debian from starting a gearmand on port 4730 when the
# package is installed; the tests start their own.
policy=/usr/sbin/policy-rc.d
hold_services() {
	[ -e $policy ] && return
	printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
	as_root chmod 755 $policy
	trap 'as_root rm -f $policy' EXIT
	trap 'exit 1' INT TERM
}

install_packages() {
	hold_services
	retried as_root apt-get update -q
	# shellcheck disable=SC2086 # a list of words
	retried as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

find_missing
[ -n "$missing" ] && may_install && install_packages

# install_peers_of_node does nothing when what the lock file names is there: npm
# ci begins with removing all of it, and would then need the network. The copy
# of the lock file is made last, so that it tells of a whole installation.
lock=package-lock.json done=node_modules/.installed-lock.json
install_peers_of_node() {
	cmp -s $lock $done && return
	retried npm ci --ignore-scripts --no-audit --no-fund && cp $lock $done
}

find_missing
if has_command npm && has_command node && ! install_peers_of_node; then
	reasons="${reasons}npm ci fails in integration/clients/node: the tests of Node
"
fi

[ -z "$reasons" ] && exit 0
printf '%s' "$reasons" | sed 's/: /; left out: /'
[ -z "${CI:-}" ]
