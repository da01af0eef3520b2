#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Devices used by several threads in every way, while they, their functions and VFs come and go.
# Then, where lockdep is: was the order of locks that drivers/core/vmdev.h tells really seen?
# lab: --plain-nic 1 --prop page-per-vq=on --qemu -object --qemu memory-backend-ram,id=ones,size=16K --qemu -device --qemu ivshmem-plain,memdev=ones,addr=1b.0
# kernels: 6.12 debug
# limit: 400
# long-limit: 1500
# long-kernels: debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

pf=$BDF_pf0 vf=$BDF_vf0_0 nic=$BDF_nic0
rounds=24 steps=200 unplugs=8
[[ $(uname -r) != *debug* ]] || rounds=8 steps=60
minutes=0
[ "${LONG-0}" != 1 ] || minutes=${LONG_MINUTES:-30} steps=$((steps * 20)) unplugs=40
seed=${SEED:-1}

# own BDF: the function waits for vmdev_pci.
own() { unbind_driver "$1" && put vmdev_pci "/sys/bus/pci/devices/$1/driver_override"; }
set_up() {
	put 0 "/sys/bus/pci/devices/$pf/sriov_drivers_autoprobe" && bind_driver "$pf" vmdev_pci &&
		put 2 "/sys/bus/pci/devices/$pf/sriov_numvfs" && own "$vf" && own "$nic"
}

kick_storm() {
	dev_add v0 "$vf" vhost_vdpa &&
		"$TOOLS/kick_storm" -d "$(vhost_of v0)" -n "$steps" -s "$seed" -t 1200 "$@" &&
		vdpa dev del v0 && unbind_driver "$vf"
}
# On a kernel that looks at mappings and locks two faults of its own are kept out of the way:
# virtio_net never unmaps a control command that its device did not answer, and pciehp takes
# pci_rescan_remove_lock and its slot's reset_lock in either order.
[[ $(uname -r) != *debug* ]] || kernel_faults=1
storm() {
	local status=0

	/build/selftests/fault/storm -b ${kernel_faults:+-q} -s "$seed" "$@" >/tmp/storm || status=$?
	tee -a /out/storm </tmp/storm
	return $status
}
unplugged() {
	local status

	storm -u -n "$unplugs" &
	sleep 3
	unplug nic0
	wait $!
	status=$?
	[ ! -e "/sys/bus/pci/devices/$nic" ] && return $status
}

# Its registers read all ones, and its driver uses it.
surprise() {
	vdpa dev del s0
	dev_add v0 "$vf" vhost_vdpa && hold /tmp/hold.log v0 -t || return
	vf_vanish "$vf"
	vdpa dev config show v0
	later unbind_driver "$vf"
	told /tmp/hold.log && let_go && ends 60
}

orders=(
	'vdpa_dev_lock|&parent->lock'
	'&vdev->cf_lock|&parent->lock'
	'&dev->mutex|&parent->lock'
	'&mm->mmap_lock|&parent->lock'
	'rtnl_mutex|&parent->lock'
	'(work_completion)(&parent->break_work)|&parent->lock'
	'&parent->lock|&parent->dev_lock'
	'&parent->lock|&dev->cb_lock'
	'&parent->lock|&dev->vqs[i].cb_lock'
	'&parent->dev_lock|&dev->cb_lock'
)

tap_plan $((8 + ${#orders[@]}))
ones_make
tap_check "modules load" vdpa_setup
tap_check "a PF of ours with two VFs" set_up
tap_check "kicks, resets, suspends, closes: nothing hangs" kick_storm
tap_check "storm with two devices, functions and VFs that come and go" storm -n $rounds -m "$minutes"
if [ -n "${kernel_faults-}" ]; then
	tap_skip "a function is unplugged in the storm" "on a kernel whose pciehp lockdep reports"
else
	tap_check "a function is unplugged in the storm" unplugged
fi
tap_check "the hardware of a device in use vanishes" surprise
lock_orders "${orders[@]}"
tap_check "lockdep still looks" lockdep_on
tap_check "a clean kernel log" clean_log "$LOG_START" "$DMA_FAULTS"
tap_done
