#!/usr/bin/env bash
# Runs every test there is: installs the peers that the integration tests talk
# to (setup.sh; without the right to install, it says which tests are left out),
# then checks the form of the code, then its behaviour. Arguments go to go test.
set -eu
cd "$(dirname "$0")/.."

bash integration/setup.sh

unformatted=$(gofmt -l $(git ls-files '*.go'))
if [ -n "$unformatted" ]; then
	printf 'gofmt would change:\n%s\n' "$unformatted" >&2
	exit 1
fi
go vet ./...
go tool staticcheck ./...
go test -race -timeout 40m "$@" ./...
