#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The hostile user of fuzz.sh on software devices, of which one management device has several. What
# he does with rings meets traffic: their ports are at one bridge, where somebody sends all the time.
# fuzz-soft.sh [OPTION of vdpa_fuzz...]
# lab: --vfs 0
# kernels: 6.12 debug
# limit: 400
# long-limit: 3600
# long-kernels: 6.12 debug
# shellcheck source=/dev/null
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

fuzz=/build/selftests/fuzz/vdpa_fuzz
targets=(v0=vmdev_soft v1=vmdev_soft v2=vmdev_soft)
options=("$@")

# run LABEL OPTION...: its lines are remarks here; the log is kept.
run() {
	local label=$1

	shift
	"$fuzz" "$@" "${targets[@]}" 2>&1 | tee "/out/$label.log"
	return "${PIPESTATUS[0]}"
}
digest() { sed -n 's/.* digest //p' "/out/$1.log"; }
same_digest() { [ -n "$(digest "$1")" ] && [ "$(digest "$1")" = "$(digest "$2")" ]; }
# fuzzed NAME LABEL OPTION...
fuzzed() {
	local name=$1

	shift
	if run "$@"; then tap_ok "$name"; else tap_not_ok "$name" "see $1.log"; fi
}

setup() { soft_setup linger_ms=600000 && soft_lan; }

# What an administrator does at the end.
all_gone() {
	local dev

	for dev in /sys/bus/vdpa/devices/*; do
		[ ! -e "$dev" ] || vdpa dev del "$(basename "$dev")" || return
	done
	[ -z "$(ls /sys/bus/vdpa/devices)" ]
}
# What they leave then is a leak, and kmemleak scans when a script has ended.
unload() {
	modprobe -r vmdev_soft vmdev_pci vmdev_irq vmdev vmdev_dirty && [ ! -d /sys/module/vmdev ]
}

tap_plan 8
tap_check "modules, and a bridge" setup
soft_plumb &
plumber=$!
soft_chatter &
chatterer=$!

fuzzed "the calls of a seed" first --seed 3 --calls 1000 --no-coverage
run again --seed 3 --calls 1000 --no-coverage >/dev/null
tap_check "are the same when made again" same_digest first again
seed=${SEED:-20263}
races=(--seed "$seed" --calls 4000)
if [ ${#options[@]} -gt 0 ]; then
	races=()
elif [ "${LONG:-0}" = 1 ]; then
	[ -n "$SEED" ] || seed=$(date +%s)
	options=(--seed "$seed" --calls 1000000 --at-least $((${LONG_MINUTES:-30} * 60)))
	races=(--seed "$seed" --calls 100000)
elif uname -r | grep -q debug; then
	options=(--seed "$seed" --calls 12000)
	races=(--seed "$seed" --calls 3000)
else
	options=(--seed "$seed" --calls 20000)
fi
fuzzed "hostile calls, and an honest client after them" long \
	--keep-to /out/kept --pcs /out/pcs --report /out/operations "${options[@]}"
if [ ${#races[@]} -gt 0 ]; then
	fuzzed "two threads at once" races --threads 2 --no-coverage "${races[@]}"
else
	tap_skip "two threads at once" "options were given"
fi

kill $plumber $chatterer
tap_check "all devices can be removed" all_gone
tap_check "the modules can be unloaded" unload
tap_check "a clean kernel log" clean_log "$LOG_START"
tap_done
