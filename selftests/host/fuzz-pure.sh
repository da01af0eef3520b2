#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Fuzzing the pure parts of the drivers in user space, with libFuzzer under sanitizers: a short
# run that is always the same, or LONG_MINUTES of them all with LONG=1, on a corpus that is kept
# in the cache. SEED says where it starts. Runs on the host, with its clang.
# long-limit: 300
set -uo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/scripts/vm-lib.sh"

RUNS=30000	# inputs for each, in a short run
RINGS=100000	# for those of rings, which are fast
STORIES=10000	# for those of whole queues, which are slow
LONG=${LONG:-0} LONG_MINUTES=${LONG_MINUTES:-30}
work=$(mktemp -d "$CACHE/fuzz-test.XXXXXX")
trap 'rm -rf "$work"' EXIT

# libFuzzer and the sanitizers, a package that clang does not depend on in all of Debian.
has_runtime() {
	printf 'int LLVMFuzzerTestOneInput(void *p, long n) { return 0; }\n' |
		clang -x c -fsanitize=fuzzer,address,undefined -o "$work/try" - 2>/dev/null
}
compiler() {
	host_install clang=clang make=make rsync=rsync || return
	has_runtime || host_install libFuzzer-is-no-command=libclang-rt-dev
	clang --version
	has_runtime
}
build() { make -s -j"$(nproc)" -C "$work/selftests/unit" CC=clang fuzz; }

# show LOG DIR: what a fuzzer found, and the input, which can be given to it again.
show() {
	local file

	grep -vE '^#[0-9]+|^INFO|^"' "$1" | head -n 60
	for file in "$2"/*; do
		[ -f "$file" ] || continue
		echo "again: base64 -d <<<'$(base64 -w 0 "$file")' >input; build/fuzz_NAME input"
	done
}

# fuzz NAME: one of them. What it finds is kept with the logs, if they are.
fuzz() {
	local found=${OUT:-$work/found}/fuzz-$1 log=$work/$1.log options=(-runs="$RUNS")
	local mutated

	mkdir -p "$found"
	# A ring is as long a story as its input.
	[[ ! $1 =~ ^vring_(split|packed)$ ]] || options=(-runs="$RINGS" -len_control=0)
	[ "$1" != netctrl ] || options=(-runs="$STORIES" -len_control=0)
	if [ "$LONG" = 1 ]; then
		mkdir -p "$CACHE/fuzz/$1"
		options=("${options[@]/-runs=*/-max_total_time=$((LONG_MINUTES * 60 / ${#fuzzers[@]}))}"
			"$CACHE/fuzz/$1")
	fi
	if ! "$work/selftests/unit/build/fuzz_$1" -seed="$seed" -max_len=512 -timeout=30 \
		-rss_limit_mb=2048 -artifact_prefix="$found/" "${options[@]}" >"$log" 2>&1; then
		show "$log" "$found"
		return 1
	fi
	rmdir "$found" 2>/dev/null
	# "Done N runs in M second(s)": one that tried nothing proves nothing.
	grep -oE '^(Done [0-9]+ runs in|Rings: [0-9]+ mutated|Commands: [0-9]+ done).*' "$log" | sed "s/^/$1: /" >>"$work/done"
	[ "$(sed -nE 's/^Done ([0-9]+) runs.*/\1/p' "$log")" -ge 1000 ] || return
	[ "$1" != netctrl ] || grep -qE '^Commands: [0-9]{4,} done, [0-9]{4,} refused' "$log" || return
	mutated=$(sed -nE 's/^Rings: ([0-9]+) mutated.*/\1/p' "$log")
	[[ ! $1 =~ ^vring_(split|packed)$ ]] || [ "${mutated:-0}" -ge $((RINGS / 3)) ]
}

rsync -a --filter=':- .gitignore' --relative "$TREE"/./{drivers,include,selftests/unit,selftests/kunit} "$work/"
mapfile -t fuzzers < <(make -s -C "$work/selftests/unit" list | tr ' ' '\n')
seed=${SEED:-1}
[ "$LONG" != 1 ] || seed=${SEED:-$((RANDOM + 1))}
# libFuzzer takes 0 for none.
[ "$seed" != 0 ] || seed=1

tap_plan $((${#fuzzers[@]} + 3))
tap_check "clang with libFuzzer" compiler
tap_check "there are fuzzers" [ -n "${fuzzers[0]-}" ]
tap_check "they build" build
echo "# seed $seed"
for name in "${fuzzers[@]}"; do
	tap_check "$name" fuzz "$name"
done
[ ! -f "$work/done" ] || sed 's/^/# /' "$work/done"
tap_done
