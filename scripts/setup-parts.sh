#!/usr/bin/env bash
# Installs what the tests need beside Go and Node. On Debian and its kin missing
# parts come from apt; elsewhere they are named. Quick when all is there.
set -eu
cd "$(dirname "$0")/.."

missing=()
need() { # need <package> <command>...
	local package=$1
	shift
	local c
	for c in "$@"; do
		if command -v "$c" >/dev/null 2>&1; then return; fi
	done
	missing+=("$package")
}
need chromium chromium chromium-browser google-chrome google-chrome-stable
need nginx-light nginx
need redis-server redis-server
need gcc gcc cc clang
# Debian keeps initdb out of the path.
if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then need postgresql initdb; fi
# The race detector links against the C library.
if [ ! -e /usr/include/stdlib.h ] && [ "$(uname)" = Linux ]; then missing+=(libc6-dev); fi

if [ ${#missing[@]} -gt 0 ]; then
	sudo=
	if [ "$(id -u)" != 0 ]; then sudo="sudo -n"; fi
	if ! command -v apt-get >/dev/null 2>&1; then
		echo "missing, please install: ${missing[*]}" >&2
		exit 1
	fi
	if [ -n "$sudo" ] && ! sudo -n true 2>/dev/null; then
		echo "missing, please have root run: apt-get install --no-install-recommends ${missing[*]}" >&2
		exit 1
	fi
	echo "installing: ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	log=$(mktemp)
	if ! { $sudo apt-get update && $sudo apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
		tail -20 "$log" >&2
		echo "could not install: ${missing[*]}" >&2
		exit 1
	fi
	rm -f "$log"
fi

for c in node npm; do
	if ! command -v $c >/dev/null 2>&1; then
		echo "missing, please install: Node.js 20 or newer, with npm" >&2
		exit 1
	fi
done

# npm ci only when the lock file is newer than what is installed.
for dir in interop/node interop/redis interop/postgres web bench/node examples/react-chat; do
	if [ -f "$dir/package-lock.json" ] && [ ! "$dir/node_modules/.package-lock.json" -nt "$dir/package-lock.json" ]; then
		echo "npm ci in $dir"
		(cd "$dir" && npm ci --no-audit --no-fund --silent)
	fi
done
