#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The dirty log's character device: its ioctls, its errors, and its life beside that of its device.
# limit: 400
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

ioctl=/build/selftests/dirty/dirty_ioctl
hold=/build/selftests/dirty/dirty_hold
log=/tmp/dirty-hold
vf=$BDF_vf0_0

no_modules() { ! grep -E '^vmdev(_pci|_irq)? ' /proc/modules; }
in_use() { [ "$(cat /sys/module/vmdev_dirty/refcnt)" -gt 0 ]; }
# said WHAT...: the holder's answers, one by one.
said() {
	local what

	for what; do
		grep -x "$what" $log || { cat $log; return 1; }
	done
}

# Who holds the log open keeps its module, and no other.
unload() {
	mkfifo /tmp/hold-stdin
	$hold /dev/vmdev/v0 </tmp/hold-stdin >$log 2>&1 &
	HOLDER=$!
	exec 5>/tmp/hold-stdin
	tap_check "somebody logs" wait_for "grep -q READY $log" 20
	unbind_driver "$vf"
	tap_check "the function's driver lets go all the same" [ ! -e /dev/vmdev/v0 ]
	rmmod vmdev_pci
	rmmod vmdev
	rmmod vmdev_irq
	tap_check "modules can go" no_modules
	tap_check "but that of the open file" in_use
	exec 5>&-
	wait $HOLDER
	tap_check "he is told" said "INFO ENODEV" "REPORT ENODEV" "STOP ENODEV" "START ENODEV"
	tap_check "then that goes, too" rmmod vmdev_dirty
	tap_check "modprobe vmdev brings it back" modprobe vmdev
	tap_check "by itself" in_use
}

odd_names() {
	local name

	for name in vdpa:0000:01:00.1 'a!b' uevent power; do
		vdpa dev add name "$name" mgmtdev "pci/$vf" || continue
		[ -c "/dev/vmdev/$name" ] || { ls -l /dev/vmdev; return 1; }
		vdpa dev del "$name"
		[ ! -e "/dev/vmdev/$name" ] || return
	done
}

tap_plan $((15 + $($ioctl -n v0 -b x -d x -l | wc -l)))
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
vdpa_setup
tap_check "a VF is a device" dev_add v0 "$vf" vhost_vdpa
tap_check "its node is for root alone" [ "$(stat -c %a:%u /dev/vmdev/v0)" = 600:0 ]
tap_adopt "dirty" $ioctl -n v0 -b "$vf" -d "$(vhost_of v0)"
vdpa dev del v0
tap_check "any name has its node" odd_names
tap_check "a VF is a device again" dev_add v0 "$vf" vhost_vdpa
unload
load_vmdev
tap_check "a VF is a device once more" dev_add v0 "$vf" vhost_vdpa
vdpa dev del v0
tap_check "a clean kernel log" clean_log
tap_done
