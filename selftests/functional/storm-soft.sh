#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The storm of storm.sh on software devices, two NICs and a disk: used by several threads in every way,
# dirty logs among them, while they go to virtio_vdpa and back, come and go, also with their module,
# disks are configured, and ports go up, down, away, and are given XDP programs. All the time somebody
# sends to the ports.
# Then, where lockdep is: was the order of locks that vmdev_soft.h and net.h tell really seen?
# lab: --vfs 0
# kernels: 6.12 debug
# limit: 200
# long-limit: 600
# long-kernels: debug
# shellcheck source=/dev/null
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

programs=/sys/fs/bpf/storm
rounds=40
[[ $(uname -r) != *debug ]] || rounds=8
minutes=0
[ "${LONG-0}" != 1 ] || minutes=${LONG_MINUTES:-30}

setup() {
	soft_setup && modprobe virtio_blk && soft_lan && truncate -s 8M /dev/shm/storm || return
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
}
# What a program does with frames without a type: those that the storm sends.
pin() {
	local action

	mount -t bpf bpf /sys/fs/bpf && mkdir $programs && for action in pass drop echo tag trim; do
		/build/selftests/soft/bpf_pin $programs/$action xdp 0000 $action || return
	done
}
storm() {
	local status=0

	/build/selftests/fault/storm -d $programs -s "${SEED:-1}" "$@" >/out/storm || status=$?
	tail -n 20 /out/storm
	return $status
}
# What an administrator does at the end.
all_gone() {
	local name

	for name in s0 s1 s2; do
		vdpa dev del $name || return
	done
	[ ! -d /sys/kernel/config/vmdev_soft/blk/s2 ] || rmdir /sys/kernel/config/vmdev_soft/blk/s2
}
unload() {
	modprobe -r vmdev_soft vmdev_pci vmdev_irq vmdev vmdev_dirty && ! grep '^vmdev' /proc/modules
}

orders=(
	'rtnl_mutex|&soft->event_lock'
	'&parent->lock|&soft->vqs[i].lock'
	'&parent->lock|&vmdev_soft_net_tx_key'
	'&soft->vqs[i].lock|&soft->maps_lock'
	'&vmdev_soft_net_tx_key|&soft->maps_lock'
	'&vmdev_soft_net_tx_key|&soft->vqs[i].lock'
	'&soft->vqs[i].lock|&dev->vqs[i].cb_lock'
	'&vmdev_soft_net_tx_key|&dev->vqs[i].cb_lock'
)

tap_plan $((7 + ${#orders[@]}))
tap_check "modules, and a bridge" setup
tap_check "XDP programs" pin
soft_plumb &
plumber=$!
soft_chatter &
chatterer=$!
tap_check "storm with devices, and their module, that come and go" storm -n $rounds -m "$minutes"
sed -n 's/^# /# storm: /p' /out/storm
kill $plumber $chatterer
lock_orders "${orders[@]}"
tap_check "lockdep still looks" lockdep_on
tap_check "all devices can be removed" all_gone
tap_check "the modules can be unloaded" unload
tap_check "a clean kernel log" clean_log "$LOG_START"
tap_done
