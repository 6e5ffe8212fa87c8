#!/usr/bin/env bash
# Runs every test there is: installs the peers that the integration tests talk
# to (setup.sh; without the right to install, it says which tests are left out),
# then checks the form of the code, then its behaviour. Arguments go to go test.
set -eu
cd "$(dirname "$0")/.."

bash integration/setup.sh

# In CI nothing is there yet: a network that fails for a moment is asked again.
if [ -n "${CI:-}" ]; then
	for module in . integration/nats; do
		for pause in 5 20 0; do
			go -C $module mod download && break
			sleep $pause
		done
	done
fi

unformatted=$(find . -name node_modules -prune -o -name '*.go' -exec gofmt -l {} +)
if [ -n "$unformatted" ]; then
	printf 'gofmt would change:\n%s\n' "$unformatted" >&2
	exit 1
fi
go vet ./...
go tool staticcheck ./...

# The race detector needs cgo, and so a C compiler with its headers. Where they
# are missing the tests run without it, but not in CI.
race=(-race)
if [ -z "${CI:-}" ] && ! go test -race -run '^$' errors >/dev/null 2>&1; then
	echo 'cgo does not work (no C compiler?); left out: the race detector'
	race=()
fi
# No result is taken from the cache (-count=1): go test does not know that the
# integration tests depend on the server that they build. Their packages come
# one after the other: with servers, peers and disks at work in two at once, one
# would measure the other.
status=0
tests() { go test ${race[@]+"${race[@]}"} -count=1 -timeout 40m "$@" || status=1; }
mapfile -t units < <(go list ./... | grep -v /integration/)
tests "$@" "${units[@]}"
tests -p 1 "$@" ./integration/...

# The comparison with NATS is a module of its own.
if [ -n "${CI:-}" ] || go -C integration/nats mod download >/dev/null 2>&1; then
	go -C integration/nats vet ./... || status=1
	go -C integration/nats test -count=1 ./... || status=1
else
	echo 'the modules of NATS cannot be downloaded; left out: the tests of integration/nats'
fi
exit $status
