#!/bin/sh
# Writes provider/*.json.gz anew from Hetzner's provider. Needed only after a change of version in go.mod.
set -eu
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
[ -s provider/bridge-metadata.json.gz ] || echo '{}' | gzip -9n > provider/bridge-metadata.json.gz
[ -s provider/schema.json.gz ] || echo '{}' | gzip -9n > provider/schema.json.gz
go run ./cmd/tfgen schema --skip-docs --skip-examples --out "$out"
for name in bridge-metadata schema; do
  gzip -9nc "$out/$name.json" > "provider/$name.json.gz"
done
