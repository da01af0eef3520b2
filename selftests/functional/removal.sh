#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A function or its device goes away: announced or not, under traffic, held open.
# lab: --plain-nic 1 --qemu -object --qemu memory-backend-ram,id=ones,size=16K --qemu -device --qemu ivshmem-plain,memdev=ones,addr=1b.0
# limit: 400
# long-kernels: 6.12 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

pf=$BDF_pf0 vf=$BDF_vf0_0 nic=$BDF_nic0
log=/tmp/hold.log
waiting='is to be removed, waiting until hold_open \(pid [0-9]+\) closes it'

vfs_again() {
	ones_away
	put 0 "/sys/bus/pci/devices/$pf/sriov_numvfs" && vf_create "$pf" 2
}

no_device() { ! ls -d "/sys/bus/vdpa/devices/$1" 2>/dev/null; }
no_function() { ! ls -d "/sys/bus/pci/devices/$1" 2>/dev/null; }
needs_reset() { (($(cat /sys/bus/pci/devices/"$1"/virtio*/status) & 0x40)); }
works() { dev_add "$1" "$2" virtio_vdpa && net_up "$2" "ns-$1" && reach "ns-$1"; }
# Control commands are on their way when the function goes; pid in CONTROL. virtio_net waits for
# their end in a loop, with the lock that every other network command needs.
control() {
	{
		ip -n "$1" link set eth0 promisc on
		ip -n "$1" maddr add 33:33:00:00:12:34 dev eth0
	} >/dev/null 2>&1 &
	CONTROL=$!
}
unbind_vmdev() { put "$1" /sys/bus/pci/drivers/vmdev_pci/unbind; }

virtio_orderly() {
	tap_check "a VF works through virtio_vdpa" works v0 "$vf"
	traffic ns-v0
	later put 0 "/sys/bus/pci/devices/$pf/sriov_numvfs"
	tap_check "the PF takes it away under traffic" ends 30
	quiet
	tap_check "its device went with it" no_device v0
	vfs_again
}

virtio_surprise() {
	local mark

	works v0 "$vf" >/dev/null
	traffic ns-v0
	mark=$(dmesg_mark)
	vf_vanish "$vf"
	tap_check "a VF that reads all ones needs reset" needs_reset "$vf"
	control ns-v0
	tap_check "control commands end: virtio_net does not wait for ever" wait_for "! kill -0 $CONTROL 2>/dev/null" 20
	tap_check "one line says that it is gone" logged "$mark" 1 "$vf: hardware is gone"
	later unbind_vmdev "$vf"
	tap_check "its driver lets go" ends 30
	quiet
	vfs_again
	tap_check "it works when it is back" works v0 "$vf"
}

# Nobody reads a register between the function's end and its removal.
virtio_surprise_unseen() {
	traffic ns-v0
	vf_vanish "$vf"
	control ns-v0
	later unbind_vmdev "$vf"
	tap_check "a VF that vanished unseen is let go" ends 30
	quiet
	vfs_again
}

# Registers of a function that was reset behind the driver's back read 0.
virtio_zeros() {
	works v0 "$vf" >/dev/null
	traffic ns-v0
	vf_vanish
	tap_check "a VF that lost its state needs reset" needs_reset "$vf"
	control ns-v0
	later unbind_vmdev "$vf"
	tap_check "its driver lets go" ends 30
	quiet
	vfs_again
}

vhost_surprise() {
	local mark

	mark=$(dmesg_mark)
	dev_add v0 "$vf" vhost_vdpa && hold $log v0 -t
	tap_check "a holder sends through a VF" grep READY $log
	vf_vanish "$vf"
	vdpa dev config show v0 >/dev/null 2>&1
	tap_check "the VF vanishes: the config interrupt tells the holder" told $log
	later put 0 "/sys/bus/pci/devices/$pf/sriov_numvfs"
	tap_check "one line names the holder" wait_for "logged $mark 1 '$waiting' >/dev/null" 20
	tap_check "the removal waits for the holder" pending
	let_go
	tap_soon "all is gone soon after the close" ends "$SOON"
	tap_check "the device too" no_device v0
	vfs_again
}

vhost_orderly() {
	local mark

	mark=$(dmesg_mark)
	dev_add n0 "$nic" vhost_vdpa && hold $log n0 -t
	later put 1 "/sys/bus/pci/devices/$nic/remove"
	tap_check "a function is removed: its holder is told" told $log
	tap_check "one line names the holder: $HOLDER" logged "$mark" 1 "$waiting"
	tap_check "by his pid" logged "$mark" 1 "pid $HOLDER\\)"
	tap_check "the removal waits for him" pending
	let_go
	tap_soon "all is gone soon after the close" ends "$SOON"
	tap_check "the function too" no_function "$nic"
	echo 1 >/sys/bus/pci/rescan
	tap_check "it is found again, and works" works n0 "$nic"
}

dev_del() {
	local mark

	mark=$(dmesg_mark)
	dev_add v0 "$vf" vhost_vdpa && hold $log v0 -r
	later vdpa dev del v0
	tap_check "dev del: the holder is told" told $log
	tap_check "one line names him" logged "$mark" 1 "$waiting"
	tap_check "dev del waits for him" pending
	let_go
	tap_soon "it is done soon after the close" ends "$SOON"
	dev_add v0 "$vf" vhost_vdpa && hold $log v0 -t
	tap_check "a new device on the same function runs" grep READY $log
}

# Goes on with the device that dev_del left running.
killed() {
	let_go KILL
	hold $log v0 -t
	tap_check "a holder was killed: the next one runs" grep READY $log
	let_go KILL
	later vdpa dev del v0
	tap_soon "nobody holds it: dev del does not wait" ends "$SOON"
}

flr() {
	local mark

	mark=$(dmesg_mark)
	tap_check "VFs know FLR" grep -w flr "/sys/bus/pci/devices/$vf/reset_method"
	dev_add v0 "$vf" vhost_vdpa && hold $log v0 -t
	later put 1 "/sys/bus/pci/devices/$vf/reset"
	tap_check "FLR: the holder is told" told $log
	tap_check "FLR does not wait for him" ends 20
	tap_check "one line says why" logged "$mark" 1 'v0: stopped by a reset of the function'
	let_go
	hold $log v0 -t
	tap_check "the next one runs" grep READY $log
	tap_check "the function does send" wait_for "[ \$(stat_of v0 1 interrupts) -gt 0 ]" 20
	let_go
	use_bus v0 virtio_vdpa && net_up "$vf" ns-flr
	tap_check "after FLR it works through virtio_vdpa" reach ns-flr
	put 1 "/sys/bus/pci/devices/$vf/reset"
	tap_check "FLR under virtio_vdpa: needs reset" needs_reset "$vf"
	use_bus v0 virtio_vdpa && net_up "$vf" ns-flr
	tap_check "bound again it works" reach ns-flr
	tap_check "dev del" vdpa dev del v0
}

rebind_once() {
	dev_add v0 "$vf" "$1" && vdpa dev del v0 && release_driver "$vf" &&
		[ "$(driver_of "$vf")" = virtio-pci ]
}
rebind() {
	local i

	for i in {1..10}; do
		rebind_once virtio_vdpa || { echo "round $i, virtio_vdpa"; return 1; }
		rebind_once vhost_vdpa || { echo "round $i, vhost_vdpa"; return 1; }
	done
}
rebinding() {
	tap_check "bound, device added, deleted, unbound: 20 times" rebind
	tap_check "and it works" works v0 "$vf"
	vdpa dev del v0
}

tap_plan 45
tap_check "virtio_net creates VFs" vf_create "$pf" 2
vdpa_setup
ones_make
virtio_orderly
virtio_surprise
virtio_surprise_unseen
virtio_zeros
vhost_surprise
vhost_orderly
dev_del
killed
flr
rebinding
tap_check "a clean kernel log" clean_log
tap_done
