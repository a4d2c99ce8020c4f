#!/bin/sh
# Makes the zstd files of this folder with zstd 1.5.4.
set -e
cd "$(dirname "$0")"
work=$(mktemp -d)
printf '{"n":1,"text":"头痛 é"}\n{"n":2,"text":"second"}\n' > "$work/1"
printf '{"n":3}\n' > "$work/2"
# Two frames, as `cat a.zst b.zst` gives.
(zstd -q -c --check "$work/1"; zstd -q -c "$work/2") > rows.jsonl.zst
# Several blocks.
seq 0 8999 | awk '{ printf "{\"n\":%d,\"text\":\"", $1; for (i = 0; i < 6; i++) printf "word%d ", $1 * 7919 % 1000; print "\"}" }' > "$work/3"
zstd -q -19 -c "$work/3" > many.jsonl.zst
rm -r "$work"
