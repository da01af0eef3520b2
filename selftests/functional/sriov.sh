#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# VFs of a PF that is ours: with and without a vDPA device on it, idle, busy and held open.
# lab: --vfs 3 --plain-nic 1 --net hub
# limit: 300
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

pf=$BDF_pf0 vf=$BDF_vf0_0 vf2=$BDF_vf0_1
log=/tmp/hold.log
sysfs=/sys/bus/pci/devices/$pf

# numvfs N: what an administrator does; prints what the kernel answers.
numvfs() { echo "$1" >"$sysfs/sriov_numvfs"; }
vfs_there() {
	local links

	links=$(find "$sysfs/" -name 'virtfn*' | wc -l)
	echo "sriov_numvfs $(cat "$sysfs/sriov_numvfs"), $links links"
	[ "$(cat "$sysfs/sriov_numvfs")" = "$1" ] && [ "$links" = "$1" ]
}
# refuses N WORDS: the write fails with the errno of these words.
refuses() {
	local said

	said=$(bash -c "echo $1 >'${3:-$sysfs}/sriov_numvfs'" 2>&1) && return 1
	grep -F "$2" <<<"$said" || { echo "it said: $said"; return 1; }
}

# Two VFs back to back on the hub, each in a namespace of its own.
pair_up() {
	dev_add va "$vf" virtio_vdpa && dev_add vb "$vf2" virtio_vdpa &&
		net_up "$vf" a 10.9.0.1 && net_up "$vf2" b 10.9.0.2
}
pair_works() { reach a 10.9.0.2 && reach b 10.9.0.1; }
pair_down() { vdpa dev del va && vdpa dev del vb; }

bare_pf() {
	tap_check "a PF that virtio_net had becomes ours" bind_driver "$pf" vmdev_pci
	tap_check "VFs without a vDPA device on the PF" numvfs 3
	tap_check "they are there" vfs_there 3
	pair_up
	tap_check "two of them are back to back" pair_works
	tap_check "another number while there are some" refuses 2 "Device or resource busy"
	tap_check "a device on the PF while there are VFs" dev_add p "$pf" virtio_vdpa
	tap_check "the VFs did not notice" pair_works
	net_up "$pf" c 10.9.0.3
	tap_check "the PF reaches a VF" reach c 10.9.0.1
}

# Goes on with what bare_pf left: a PF at DRIVER_OK with two busy VFs.
pf_resets() {
	traffic a 10.9.0.2
	tap_check "the PF's driver resets it" use_bus p vhost_vdpa
	tap_check "VFs go on" pair_works
	hold $log p -t
	tap_check "user space runs the PF" grep READY $log
	tap_check "VFs go on" pair_works
	let_go KILL
	tap_check "it died: VFs go on" pair_works
	tap_check "dev del on the PF" vdpa dev del p
	tap_check "VFs go on" pair_works
	quiet
	tap_check "numvfs=0 takes VFs away that have devices" numvfs 0
	tap_check "they are gone, and their devices" vfs_there 0
	tap_check "no device is left" bash -c '! ls /sys/bus/vdpa/devices/* 2>/dev/null'
}

idle_pf() {
	dev_add p "$pf"
	tap_check "VFs with an idle device on the PF" numvfs 2
	tap_check "they are there" vfs_there 2
	use_bus p vhost_vdpa
	pair_up
	tap_check "they work" pair_works
	tap_check "nobody opened it, and vhost-vdpa lets it go" \
		put p /sys/bus/vdpa/drivers/vhost_vdpa/unbind
	tap_check "VFs go on" pair_works
	pair_down
	tap_check "numvfs=0" numvfs 0
	vdpa dev del p
}

# hw_status BDF: the device status, read through config space (virtio 1.2, 4.1.4.9).
hw_status() {
	python3 -c 'import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
get = lambda at, n: int.from_bytes(os.pread(fd, n, at), "little")
put = lambda at, n, value: os.pwrite(fd, value.to_bytes(n, "little"), at)
caps, at = {}, get(0x34, 1)
while at:
	if get(at, 1) == 9:
		caps.setdefault(get(at + 3, 1), at)
	at = get(at + 1, 1)
common, window = caps[1], caps[5]
put(window + 4, 1, get(common + 4, 1))
put(window + 8, 4, get(common + 8, 4) + 20)
put(window + 12, 4, 1)
print(get(window + 16, 1))' "/sys/bus/pci/devices/$1/config"
}
live() { (($(hw_status "$1") & 4)); }
# virtio_vdpa has its device, which is acknowledged, and no more.
acknowledged_pf() {
	local virtio

	dev_add p "$pf" virtio_vdpa && wait_for "[ -e /sys/bus/pci/devices/$pf/virtio*/net/* ]" 5
	virtio=$(basename "$sysfs"/virtio*)
	put "$virtio" /sys/bus/virtio/drivers/virtio_net/unbind
	tap_check "nobody drives the PF" [ "$(hw_status "$pf")" = 0 ]
	tap_check "VFs, all the same" numvfs 2
	tap_check "it is live now" live "$pf"
	pair_up
	tap_check "they work" pair_works
	pair_down
	tap_check "numvfs=0" numvfs 0
	vdpa dev del p
}
# Its driver has it, and has to reset it first.
broken_pf() {
	local mark

	dev_add p "$pf" vhost_vdpa && hold $log p -t
	tap_check "user space runs the PF, which is reset" put 1 "$sysfs/reset"
	mark=$(dmesg_mark)
	tap_check "no VFs before its driver has reset it" refuses 2 "Device or resource busy"
	tap_check "one line says why" logged "$mark" 1 "$pf: is not live, so it can have no VFs"
	tap_check "none came" vfs_there 0
	let_go
	tap_check "nobody has it: VFs" numvfs 2
	tap_check "it is live" live "$pf"
	numvfs 0
	vdpa dev del p
}

held_pf() {
	dev_add p "$pf" vhost_vdpa && hold $log p -t -p "$(sink)"
	tap_check "user space runs the PF" grep READY $log
	tap_check "VFs while it does" numvfs 3
	tap_check "they are there" vfs_there 3
	pair_up
	tap_check "two of them are back to back" pair_works
	tap_check "the holder noticed nothing" not grep -E 'CONFIG|NEEDS_RESET|CLOSED' $log
	tap_check "and goes on" still_sends p
	let_go
	pair_down
	tap_check "numvfs=0" numvfs 0
	vdpa dev del p
}
# On a hub frames are taken only while somebody else listens.
sink() { dev_add s "$BDF_nic0" vhost_vdpa && vhost_of s; }
still_sends() {
	local n

	n=$(stat_of "$1" 1 interrupts)
	wait_for "[ \$(stat_of $1 1 interrupts) -gt $n ]" 10
}

# dma BDF: may it write to memory?
dma() { (($(setpci -s "$1" COMMAND | sed s/^/0x/) & 4)); }
# FLR of the PF takes the VFs' state away, behind the back of their drivers.
needs_reset() { (($(cat /sys/bus/pci/devices/"$1"/virtio*/status) & 0x40)); }
pf_flr() {
	numvfs 2
	pair_up
	tap_check "two VFs" pair_works
	tap_check "FLR of the PF" put 1 "$sysfs/reset"
	tap_check "its VFs need a reset" needs_reset "$vf"
	tap_check "each says so" needs_reset "$vf2"
	tap_check "no DMA before a VF has reset" not dma "$vf"
	tap_check "likewise the PF" not dma "$pf"
	use_bus va vhost_vdpa && use_bus va virtio_vdpa && use_bus vb vhost_vdpa && use_bus vb virtio_vdpa &&
		net_up "$vf" a 10.9.0.1 && net_up "$vf2" b 10.9.0.2
	tap_check "their drivers reset them: they work" pair_works
	tap_check "and have DMA" dma "$vf"
	pair_down
	unbind_driver "$vf"
	unbind_driver "$vf2"
	pair_up
	tap_check "bound to their driver again they work" pair_works
	pair_down
	numvfs 0
}

refusals() {
	local mark

	mark=$(dmesg_mark)
	tap_check "too many VFs: the core's answer" refuses 4 "Numerical result out of range"
	tap_check "none came" vfs_there 0
	tap_check "a function without SR-IOV has no such file" no_sriov "$BDF_nic0"
	echo 0 >"$sysfs/sriov_drivers_autoprobe"
	tap_check "VFs without autoprobe" numvfs 2
	tap_check "nobody drives them" [ -z "$(driver_of "$vf")" ]
	pair_up
	tap_check "they become ours" pair_works
	pair_down
	numvfs 0
	echo 1 >"$sysfs/sriov_drivers_autoprobe"
	tap_check "with autoprobe they have a driver" autoprobed
	numvfs 0
	tap_check "nothing of it was an error" bash -c "! dmesg | sed '1,/$mark/d' | grep -E 'vmdev.*(cannot|error)'"
}
no_sriov() { bind_driver "$1" vmdev_pci && [ ! -e "/sys/bus/pci/devices/$1/sriov_numvfs" ]; }
autoprobed() { numvfs 1 && wait_for "[ \"\$(driver_of $vf)\" = virtio-pci ]" 5; }

tap_plan 64
tap_check "modules load" vdpa_setup
tap_check "virtio_net has the PF" [ "$(driver_of "$pf")" = virtio-pci ]
bare_pf
pf_resets
idle_pf
acknowledged_pf
broken_pf
held_pf
pf_flr
refusals
tap_check "back to virtio_net" release_driver "$pf"
tap_check "which can have VFs" vf_create "$pf" 2
tap_check "a clean kernel log" clean_log
tap_done
