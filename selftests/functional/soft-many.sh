#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Very many software devices: made, listed while others come and go, used one after the other, and
# removed; and what one takes.
# lab: --vfs 0
# kernels: 6.12 debug
# limit: 300
# long-limit: 900
# long-kernels: debug
# shellcheck source=/dev/null
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

number=64
[ "${LONG:-0}" != 1 ] || number=1024

# Kilobytes that are free, or would be at once.
free_kb() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(MemFree|SReclaimable):/ { n += $2 } END { print n }' /proc/meminfo
}
make_all() {
	local i

	for ((i = 0; i < number; i++)); do
		vdpa dev add name "many$i" mgmtdev vmdev_soft max_vqp 1 || return
	done
}
bind_all() {
	local i

	for ((i = 0; i < number; i++)); do
		use_bus "many$i" vhost_vdpa || return
	done
}
ports_up() {
	local path

	for path in /sys/class/net/*/phys_port_name; do
		[[ $(cat "$path" 2>/dev/null) != many* ]] || ip link set "$(basename "${path%/*}")" up || return
	done
}
use_all() {
	local i nodes=()

	for ((i = 0; i < number; i++)); do
		nodes+=("$(vhost_of "many$i")")
	done
	/build/selftests/soft/send_one "${nodes[@]}"
}
# Each port got the frame that its device sent.
all_received() {
	local path n=0

	for path in /sys/class/net/*/phys_port_name; do
		[[ $(cat "$path" 2>/dev/null) != many* ]] || [ "$(cat "${path%/*}/statistics/rx_packets")" -lt 1 ] ||
			n=$((n + 1))
	done
	echo "$n of $number"
	[ $n = "$number" ]
}
remove_all() {
	local i

	for ((i = 0; i < number; i++)); do
		vdpa dev del "many$i" || return
	done
	[ -z "$(ls /sys/bus/vdpa/devices)" ]
}

listed() {
	modprobe vmdev_ctl && python3 -B /vmdev/selftests/netlink/dumps.py \
		/vmdev/Documentation/netlink/specs/vmdev.yaml vmdev_soft
}

tap_plan 10
tap_check "modules" soft_setup
before=$(free_kb)
tap_check "$number devices are made" make_all
after=$(free_kb)
echo "# $(((before - after) / number)) KiB a device, its port in it"
tap_check "dumps of them have each once, whatever comes and goes" listed
tap_check "vhost-vdpa has them" bind_all
tap_check "their ports are up" ports_up
tap_check "each sends a frame" use_all
tap_check "which its port receives" all_received
tap_check "they are removed" remove_all
tap_check "so is the module" modprobe -r vmdev_soft
tap_check "a clean kernel log" clean_log
tap_done
