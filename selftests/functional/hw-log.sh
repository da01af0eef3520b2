#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Hardware that logs what it writes in a bitmap: queues stay direct while they are logged, no write is
# missed, and hardware that does not log is found out. The hardware is a module of ours
# (selftests/soft_hw), with and without the reset of one queue.
# lab: --vfs 0 --blk 1 --blk-prop packed=on --blk-prop num-queues=3
# limit: 500
# long-limit: 1800
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/switch/lib.sh
. /vmdev/selftests/oracle/oracle.sh

runs=100000 seconds=25
[ "${LONG-0}" != 1 ] || runs=1000 seconds=0
# It is slow.
[[ $(uname -r) != *-debug ]] || runs=100

# VERSION_1 ACCESS_PLATFORM RING_PACKED EVENT_IDX INDIRECT_DESC STATUS MAC; b0 as in oracle.sh
net=0x730010020
devices() {
	modprobe vmdev_soft_hw caps="$1" && soft v0 soft-net0 vhost_vdpa device_features $net &&
		soft v1 soft-net1 vhost_vdpa && dev_add b0 "$BDF_blk0" vhost_vdpa device_features 0x730001244
}
gone() { vdpa dev del v0 && vdpa dev del v1 && vdpa dev del b0 && modprobe -r vmdev_soft_hw; }
fault() { echo "$1" >/sys/module/vmdev_soft_hw/parameters/fault; }
# with_fault N CMD...
with_fault() {
	local status=0

	fault "$1"
	"${@:2}" || status=$?
	fault 0
	return $status
}
random() {
	local status=0

	oracle -s "${SEED:-20260301}" "$@" >/tmp/oracle || status=$?
	tail -n 20 /tmp/oracle
	return $status
}
differs() { random -l -r 600; [ $? = 1 ]; }
caps() { /build/tools/vmdev parent show "$1" | grep 'capabilities.*state.*log'; }
says() { dmesg | grep "$1"; }
no_fault() { [ "$(soft_count soft-net0 faults)$(soft_count soft-net1 faults)" = 00 ]; }
set_bits() { [ "$(soft_count soft-net0 logged)" -gt 0 ]; }

# --- what is run ---------------------------------------------------------------------------
kind() {
	local name=$1

	tap_check "$name: devices" devices "$2"
	tap_check "$name: it has state and log" caps platform/soft-net0
	tap_check "$name: no recycled buffer is lost, split" oracle -l -c split
	tap_check "$name: no recycled buffer is lost, packed" oracle -l -c packed
	tap_check "$name: memory is the same after each migration" random -l -r $runs -t $seconds
	grep '^#' /tmp/oracle
	tap_check "$name: it logged" set_bits
	tap_check "$name: hardware that does not take the bitmap: shadow, and memory is the same" \
		with_fault 5 random -r 40
	tap_check "$name: it says so" says 'v0: hardware does not log what it writes'
	tap_check "$name: hardware that loses a bit now and then: memory differs" with_fault 3 differs
	tap_check "$name: hardware that logs nothing: memory is the same" with_fault 4 random -l -r 120
	tap_check "$name: it is found out" says 'v0: hardware wrote to buffers, and logged nothing'
	dmesg -C
	tap_check "$name: and believed when it logs" random -l -r 40
	tap_check "$name: it reaches nothing that it must not" no_fault
	tap_check "$name: goes" gone
}

tap_plan $((2 * 14 + 5))
vdpa_setup && modprobe vmdev_ctl
kind "one queue is reset" 11
kind "all are reset" 3
tap_check "devices" devices 11
tap_untouched "the core has nothing to do with a packet" untouched oracle -l -c split
tap_check "memory that is mapped too high for the bitmap" \
	/build/selftests/dirty/dirty_maps v0 "$(vhost_of v0)"
tap_check "goes" gone
tap_check "a clean kernel log" clean_log
tap_done
