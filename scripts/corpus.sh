#!/bin/sh
# Takes what fuzzing has found of use into the tree: for each decoder some of the inputs
# that reached something new, the shortest first. go test runs them from then on.
set -eu
cd "$(dirname "$0")/.."
most=${1:-25} # of each target
cache=$(go env GOCACHE)/fuzz/$(go list -m)
for target in engineio/FuzzPost engineio/FuzzPayload engineio/FuzzPayload3 engineio/FuzzQuery engineio/FuzzStream \
	parser/FuzzDecode parser/FuzzEncodeDecode parser/FuzzUnmarshal parser/msgpack/FuzzDecode internal/msgpack/FuzzUnmarshal \
	internal/ws/FuzzParser internal/ws/FuzzInflate adapter/redis/FuzzDecodeBroadcast adapter/cluster/FuzzDecode; do
	[ -d "$cache/$target" ] || continue
	into=$(dirname "$target")/testdata/fuzz/$(basename "$target")
	mkdir -p "$into"
	for input in $(find "$cache/$target" -type f -size -2 -printf '%s %f\n' | sort -n | head -n "$most" | cut -d' ' -f2); do
		cp "$cache/$target/$input" "$into/$input"
	done
done
