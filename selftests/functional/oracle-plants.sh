#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The oracle finds what it is there to find: faults that were put into a vmdev.ko of its own, one at
# a time; see selftests/oracle/plants.
# lab: --net hub --blk 1 --blk-prop packed=on --blk-prop num-queues=3 --prop packed=on --prop page-per-vq=on --prop in_order=on
# kernels: 6.12
# limit: 400
# long-kernels: 6.12
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/oracle/oracle.sh

plants=(/vmdev/selftests/oracle/plants/[1-9]*.patch)
load_planted() {
	not grep . /build/plants/broken 2>/dev/null || return
	modprobe -a vmdev_irq vmdev_dirty vdpa && insmod /build/plants/vmdev.ko && vdpa_setup &&
		[ -e /sys/module/vmdev/parameters/plant ]
}
# found PLANT: memory that differs ends it with status 1, and nothing else does.
found() {
	local status=0

	put "$1" /sys/module/vmdev/parameters/plant || return
	oracle -s "${SEED:-20260301}" -r 300 >/tmp/oracle || status=$?
	tail -n 8 /tmp/oracle
	[ $status = 1 ]
}

tap_plan $((5 + ${#plants[@]}))
if [ ! -d /build/plants ]; then
	for ((i = 0; i < TAP_PLAN; i++)); do
		tap_skip "planted faults" "only PLANTS=6.12 scripts/lab-modules builds them"
	done
	tap_done
	exit
fi
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
tap_check "a vmdev.ko with faults" load_planted
tap_check "devices" oracle_devices
tap_check "none of the faults is there yet" oracle -s "${SEED:-1}" -r 20
for plant in "${plants[@]}"; do
	name=${plant##*/}
	tap_check "found: $(head -n 1 "$plant")" found "${name%%-*}"
	# What was found, for a person.
	sed -n 's/^# FAILED/# found:/p' /tmp/oracle
done
tap_check "a clean kernel log" clean_log
tap_done
