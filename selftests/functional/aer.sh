#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Bus errors, as AER tells of them, beside a neighbour that has no driver, and without one.
# lab: --prop aer=on
# limit: 300
# kernels: 6.12 7.2
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

pf=$BDF_pf0 vf=$BDF_vf0_0 vf2=$BDF_vf0_1
log=/tmp/hold.log

# error ERROR: the PF reports it. Ends when the kernel says what came of it: RESULT.
error() {
	local mark

	mark=$(dmesg_mark)
	vm_qmp "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"pcie_aer_inject_error pf0 $1\"}}" &&
		wait_for "dmesg_since $mark | grep -q 'AER: device recovery $2'" 60 && return
	dmesg_since "$mark"
	return 1
}
dma() { (($(setpci -s "$1" COMMAND | sed s/^/0x/) & 4)); }

with_neighbour() {
	hold $log v0 -t
	tap_check "a neighbour without a driver: the kernel gives up after a non-fatal error" error COMP_TIME failed
	tap_check "who has the device is told" told $log
	tap_check "no DMA before its driver has reset it" not dma "$vf"
	let_go
	hold $log v0 -t
	tap_check "all can go on" grep READY $log
	tap_check "with DMA" dma "$vf"
	let_go
}

fatal() {
	local mark

	hold $log v0 -t
	tap_check "after a fatal one, too" error DLP failed
	tap_check "who has the device is told" told $log
	let_go
	mark=$(dmesg_mark)
	hold $log v0 -t
	tap_check "it cannot go on" not grep READY $log
	tap_check "the log says what helps" logged "$mark" 1 "v0: hardware is offline.*echo 1 > /sys/bus/pci/devices/$pf/reset; .*bind again $vf"
	let_go
	tap_check "that does help" put 1 "/sys/bus/pci/devices/$pf/reset"
	hold $log v0 -t
	tap_check "it can go on" grep READY $log
	let_go
}

alone() {
	dev_add v1 "$vf2" vhost_vdpa
	hold $log v0 -t
	tap_check "all functions are ours: recovered from a non-fatal error" error COMP_TIME successful
	tap_check "who has the device is told" told $log
	let_go
	hold $log v0 -t
	tap_check "all can go on" grep READY $log
	tap_check "recovered from a fatal error" error DLP successful
	tap_check "who has the device is told" told $log
	tap_check "no DMA before its driver has reset it" not dma "$vf"
	let_go
	hold $log v0 -t
	tap_check "all can go on" grep READY $log
	let_go
}

tap_plan 22
tap_check "modules load" vdpa_setup
tap_check "PF and VFs" bind_driver "$pf" vmdev_pci
echo 2 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
tap_check "a device on a VF" dev_add v0 "$vf" vhost_vdpa
# In this order: once recovery has failed QEMU's function reports no more errors.
alone
unbind_driver "$vf2"
with_neighbour
fatal
tap_check "a clean kernel log" clean_log
tap_done
