#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The oracle finds marks that a software device forgets, or gets wrong: faults that were put into a
# vmdev_soft.ko of its own, one at a time; see selftests/oracle/plants.
# lab: --vfs 0 --blk 1 --blk-prop packed=on --blk-prop num-queues=3
# kernels: 6.12
# limit: 1200
# long-kernels: 6.12
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh
. /vmdev/selftests/oracle/oracle.sh

plants=(/vmdev/selftests/oracle/plants/soft-[1-9]*.patch)
load_planted() {
	not grep . /build/plants/broken 2>/dev/null || return
	soft_setup linger_ms=600000 && rmmod vmdev_soft &&
		insmod /build/plants/vmdev_soft.ko linger_ms=600000 &&
		[ -e /sys/module/vmdev_soft/parameters/plant ]
}
# found PLANT: memory that differs ends it with status 1, and nothing else does.
found() {
	local status=0

	put "$1" /sys/module/vmdev_soft/parameters/plant || return
	oracle -l -s "${SEED:-20260301}" -r 3000 >/tmp/oracle || status=$?
	tail -n 8 /tmp/oracle
	[ $status = 1 ]
}

tap_plan $((4 + ${#plants[@]}))
if [ ! -d /build/plants ]; then
	for ((i = 0; i < TAP_PLAN; i++)); do
		tap_skip "planted faults" "only PLANTS=6.12 scripts/lab-modules builds them"
	done
	tap_done
	exit
fi
tap_check "a vmdev_soft.ko with faults" load_planted
tap_check "devices" oracle_soft_devices
tap_check "none of the faults is there yet" oracle -l -s "${SEED:-1}" -r 20
for plant in "${plants[@]}"; do
	name=${plant##*/soft-}
	tap_check "found: $(head -n 1 "$plant")" found "${name%%-*}"
	# What was found, for a person.
	sed -n 's/^# FAILED/# found:/p' /tmp/oracle
done
tap_check "a clean kernel log" clean_log
tap_done
