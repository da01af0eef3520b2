#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A PF with VFs, a slot or the modules go away: idle, under traffic, held open.
# lab: --pfs 2
# limit: 400
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

pf=$BDF_pf0 vf=$BDF_vf0_0 vf2=$BDF_vf0_1
log=/tmp/hold.log
waiting='is to be removed, waiting until hold_open \(pid [0-9]+\) closes it'

no_device() { ! ls -d "/sys/bus/vdpa/devices/$1" 2>/dev/null; }
no_function() { ! ls -d "/sys/bus/pci/devices/$1" 2>/dev/null; }
works() { dev_add "$1" "$2" virtio_vdpa && net_up "$2" "ns-$1" && reach "ns-$1"; }
unbind_vmdev() { put "$1" /sys/bus/pci/drivers/vmdev_pci/unbind; }

pf_with_all() {
	bind_driver "$pf" vmdev_pci && put 2 "/sys/bus/pci/devices/$pf/sriov_numvfs" &&
		dev_add p "$pf" virtio_vdpa && dev_add v0 "$vf" vhost_vdpa &&
		works v1 "$vf2"
}

pf_unbind() {
	local mark

	put 0 "/sys/bus/pci/devices/$pf/sriov_numvfs"
	tap_check "PF, two VFs: three devices" pf_with_all
	mark=$(dmesg_mark)
	hold $log v0 -t
	traffic ns-v1
	later unbind_vmdev "$pf"
	tap_check "PF unbound: the holder of a VF is told" told $log
	tap_check "one line names him" logged "$mark" 1 "$waiting"
	tap_check "the unbind waits for him" pending
	let_go
	tap_soon "all is done soon after the close" ends "$SOON"
	quiet
	tap_check "PF's device is gone" no_device p
	tap_check "the held one" no_device v0
	tap_check "the busy one" no_device v1
	tap_check "the VFs" no_function "$vf"
}

# Who holds a device holds vhost_vdpa, not its parent, so the kernel does begin to unload the
# parent: modprobe -r waits for the close as unbind does, and does not fail.
modules_gone() { ! grep -E '^vmdev(_pci|_irq)? ' /proc/modules; }
unload() {
	local mark

	tap_check "PF, two VFs: three devices again" pf_with_all
	tap_check "vmdev is in use while vmdev_pci is there" bash -c '! rmmod vmdev'
	later modprobe -r vmdev_pci
	tap_check "modprobe -r with devices that nobody holds" ends 30
	modprobe -qr vmdev_irq vmdev
	tap_check "no module is left" modules_gone
	load_vmdev
	tap_check "loaded again: three devices" pf_with_all
	mark=$(dmesg_mark)
	hold $log v0 -t
	later modprobe -r vmdev_pci
	tap_check "modprobe -r: the holder is told" told $log
	tap_check "one line names him" logged "$mark" 1 "$waiting"
	tap_check "modprobe -r waits for him" pending
	let_go
	tap_soon "it is done soon after the close" ends "$SOON"
	modprobe -qr vmdev_irq vmdev
	tap_check "no module is left again" modules_gone
	load_vmdev
}

# The whole slot goes, PF and VFs, with drivers bound: pciehp finds out.
slot_surprise() {
	local mark

	pf=$BDF_pf1 vf=$BDF_vf1_0 vf2=$BDF_vf1_1
	tap_check "three devices below the second PF" pf_with_all
	mark=$(dmesg_mark)
	hold $log v0 -t
	traffic ns-v1
	surprise_remove "$pf"
	tap_check "the slot lost power: the holder is told" told $log
	tap_check "one line names him" wait_for "logged $mark 1 '$waiting' >/dev/null" 20
	let_go
	tap_soon "all is gone soon after the close" wait_for "no_function $pf" "$SOON"
	tap_check "the devices too" no_device v1
	quiet
}

unplugging() {
	local mark

	pf=$BDF_pf0 vf=$BDF_vf0_0 vf2=$BDF_vf0_1
	tap_check "three devices below the first PF" pf_with_all
	mark=$(dmesg_mark)
	hold $log v0 -t
	traffic ns-v1
	tap_check "the attention button is pressed" unplug pf0
	tap_check "the holder is told" told $log
	tap_check "one line names him" logged "$mark" 1 "$waiting"
	let_go
	tap_soon "all is gone soon after the close" wait_for "no_function $pf" "$SOON"
	tap_check "the devices too" no_device p
	quiet
}

tap_plan 32
tap_check "modules load" vdpa_setup
pf_unbind
unload
slot_surprise
unplugging
tap_check "a clean kernel log" clean_log
tap_done
