#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Hardware that can be suspended as virtio 1.4 defines it, and has no ring states: where its queues
# were is always known, also of a disk, so those are direct. The model (selftests/model) without its LM
# block, and the module of ours (selftests/soft_hw), which finishes requests out of order.
# lab: --pfs 0 --fpga 2 --fpga-blk 1 --fpga-arg --suspend
# limit: 400
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/switch/lib.sh
. /vmdev/selftests/oracle/oracle.sh

bin=/build/selftests/switch
vmdev=/build/tools/vmdev
suspends=60 seconds=40
[ "${LONG-0}" != 1 ] || suspends=1000
# So slow that otherwise not all that may happen does.
[[ $(uname -r) != *-debug ]] || suspends=60 seconds=150

caps() {
	local said

	said=$($vmdev parent show "$1" | grep 'capabilities.*suspend') && [[ $said != *state* ]]
}
devices() {
	dev_add v0 "$BDF_fpga0" vhost_vdpa device_features 0x330018020 && dev_add v1 "$BDF_fpga1" vhost_vdpa &&
		dev_add b0 "$BDF_fpgablk0" vhost_vdpa
}
random() {
	oracle -m 64 -s "${SEED:-20260301}" "$@" >/tmp/oracle || return
	tail -n 20 /tmp/oracle
}
# Nobody ever had to guess.
none_lost() { grep ', 0 lost' /tmp/oracle; }
# written NAME: a disk that is suspended under writes, and was direct before.
written() {
	local status=0 monitor

	timeout 120 $vmdev monitor >/tmp/monitor 2>&1 &
	monitor=$!
	wait_for "listening 1" 60
	"$bin/writes" $suspends "$(vhost_of "$1")" || status=$?
	kill $monitor
	# It goes to shadow when it is resumed, and not before.
	awk -v dev="$1" '$3 != dev {next} {print} $1 == "resumed" {resumed = 1}
		$1 == "path" {exit !resumed}' /tmp/monitor || return
	return $status
}
counted() {
	local before said n

	before=$(soft_count soft-blk0 writes)
	said=$("$bin/writes" "$@" "$(vhost_of s0)" | tee /dev/stderr | sed -n 's/^WRITES //p')
	n=$(($(soft_count soft-blk0 writes) - before))
	echo "wrote $said times, disk $n times"
	[ "$said" = $n ]
}
# VERSION_1 ACCESS_PLATFORM EVENT_IDX SEG_MAX FLUSH MQ
soft_disk() { modprobe vmdev_soft_hw caps="$1" && soft s0 soft-blk0 vhost_vdpa device_features 0x320001204; }
soft_gone() { vdpa dev del s0 && modprobe -r vmdev_soft_hw; }

tap_plan 12
vdpa_setup && modprobe vmdev_ctl
tap_check "net functions and a disk" devices
tap_check "they can be suspended" eval "caps pci/$BDF_fpga0 && caps pci/$BDF_fpgablk0"
tap_check "memory is the same after each migration" random -r 100000 -t $seconds
grep '^#' /tmp/oracle
tap_check "no ring was ever lost" none_lost
tap_check "a disk is suspended under writes, and direct" written b0
tap_check "they go" eval "vdpa dev del v0 && vdpa dev del v1 && vdpa dev del b0"
for caps in 4 12; do
	[ $caps = 4 ] || soft_gone
	tap_check "caps $caps: a disk that finishes out of order" soft_disk $caps
	tap_check "caps $caps: no write is lost, or done twice" counted $suspends
done
tap_check "goes" soft_gone
tap_check "a clean kernel log" clean_log
tap_done
