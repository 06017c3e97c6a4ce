#!/usr/bin/env bash
# Runs interop/autobahn with the suite from PyPI, which it installs into a
# directory of its own if need be. Needs Python 2.7 with pip: in the PATH, under
# pyenv, or named by PYTHON2.
set -eu
cd "$(dirname "$0")/.."
version=25.10.1

find_python() {
	local p
	for p in "${PYTHON2:-}" python2.7 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7.*/bin/python2.7; do
		if [ -n "$p" ] && "$p" -c 'import sys; sys.exit(sys.version_info[:2] != (2, 7))' 2>/dev/null; then
			echo "$p"
			return
		fi
	done
	echo "autobahn: no Python 2.7; name one by PYTHON2" >&2
	exit 1
}

python=$(find_python)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/sockeye/autobahntestsuite-$version"
if [ ! -d "$cache/autobahntestsuite" ]; then
	"$python" -m pip install --quiet --disable-pip-version-check --target "$cache" "autobahntestsuite==$version"
fi
wstest="$cache/wstest"
cat >"$wstest" <<EOS
#!/bin/sh
exec "$python" -W ignore -c 'import site; site.addsitedir("$cache"); from autobahntestsuite.wstest import run; run()' "\$@"
EOS
chmod +x "$wstest"
exec go run ./interop/autobahn -wstest "$wstest" "$@"
