#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vmdev_ctl: what sysfs and uevents tell of devices. (Netlink: vmdev-tool.)
# lab: --vfs 0
# limit: 300
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

of() { cat "/sys/bus/vdpa/devices/$1/vmdev/$2"; }
# is NAME FILE VALUE
is() { local value; value=$(of "$1" "$2"); echo "$2: $value"; [ "$value" = "$3" ]; }
files='features holder holder_pid logged offered paths policy reason state status'
names() { (cd "/sys/bus/vdpa/devices/$1/vmdev" && echo *); }
there() { [ "$(names "$1")" = "$files" ]; }
only_cores() { [ "$(names "$1")" = 'paths policy' ]; }
mine() { modprobe vmdev_ctl && there s0; }
# The last reader may still be at it.
gone() { wait_for "modprobe -r vmdev_ctl" 10 && only_cores s0 && no_folders; }
unread() { local f; for f in $files; do cat "/sys/bus/vdpa/devices/s0/vmdev/$f" >/dev/null || return; done; }
# Files are read all the time, while devices and the module come and go. Who was killed would leave a
# modprobe -r behind, and the kernel does not load a module that is just going.
readers() {
	local n=0 pids=()

	rm -f /tmp/end
	(until [ -e /tmp/end ]; do sleep 0.01; cat /sys/bus/vdpa/devices/*/vmdev/* /sys/bus/vdpa/devices/*/vmdev_queues/*/* /sys/class/vmdev_soft/*/vmdev_mgmt/*; done) >/dev/null 2>&1 &
	pids+=($!)
	(until [ -e /tmp/end ]; do sleep 0.05; modprobe vmdev_ctl; modprobe -r vmdev_ctl; done) >/dev/null 2>&1 &
	pids+=($!)
	for ((n = 0; n < 30; n++)); do
		vdpa dev add name r0 mgmtdev vmdev_soft || break
		vdpa dev del r0 || break
	done
	: >/tmp/end
	wait "${pids[@]}"
	[ $n = 30 ] && modprobe vmdev_ctl
}

# --- queues, management devices -----------------------------------------------------------
queues=address_space,avail_index,avail_wrap,desc_addr,device_addr,driver_addr,interrupts,irq,kicks,packed,path,ready,size,used_index,used_wrap
mgmts='capabilities device_id devices features gone max_vqs offline software vendor_id'
queue() { cat "/sys/bus/vdpa/devices/$1/vmdev_queues/$2/$3"; }
# as NAME QUEUE FILE VALUE
as() { local value; value=$(queue "$1" "$2" "$3"); echo "$3: $value"; [ "$value" = "$4" ]; }
queue_files() { [ "$(cd "/sys/bus/vdpa/devices/$1/vmdev_queues/$2" && echo * | tr ' ' ,)" = $queues ]; }
mgmt() { cat "/sys/class/vmdev_soft/$1/vmdev_mgmt/$2"; }
mgmt_files() { [ "$(cd "/sys/class/vmdev_soft/$1/vmdev_mgmt" && echo *)" = "$mgmts" ]; }
no_folders() { ! ls -d /sys/bus/vdpa/devices/*/vmdev_queues /sys/class/vmdev_soft/*/vmdev_mgmt 2>/dev/null; }
sum() { awk '{ n += $1 } END { print n + 0 }'; }
# Who has that address? Nobody.
counts() {
	local before netdev

	before=$(cat /sys/bus/vdpa/devices/s1/vmdev_queues/{1,3}/kicks | sum) netdev=$(netdev_of_vdpa s1)
	ip link set "$(port s1)" up
	ip link set "$netdev" up
	ip addr add 10.9.9.1/24 dev "$netdev"
	wait_for "ping -c 1 -W 1 10.9.9.2; [ \$(cat /sys/bus/vdpa/devices/s1/vmdev_queues/{1,3}/kicks | sum) -gt $before ]" 20
}
netdev_of_vdpa() { basename /sys/bus/vdpa/devices/"$1"/virtio*/net/*; }
hidden() {
	local f

	for f in desc_addr driver_addr device_addr; do
		[ "$(stat -c %a "/sys/bus/vdpa/devices/s1/vmdev_queues/0/$f")" = 400 ] || return
	done
	[ "$(queue s1 0 desc_addr)" != 0 ]
}
# A folder that somebody stands in outlasts its device, and nothing is read of it.
stands_in() {
	(cd /sys/bus/vdpa/devices/s0/vmdev_queues/0 && modprobe -r vmdev_ctl && ! cat path 2>/dev/null &&
		modprobe vmdev_ctl && ! cat path 2>/dev/null)
}

tap_plan 29
tap_check "modules" soft_setup
tap_check "a device, before the control plane" soft_add s0 vhost_vdpa
tap_check "the core's own files" only_cores s0
tap_check "the control plane's, beside them" mine
tap_check "all can be read" unread
tap_check "nobody runs it" is s0 state off
tap_check "a device after it" eval "soft_add s1 virtio_vdpa && there s1"
tap_check "its driver runs it" eval "wait_for '[ \$(of s1 state) = running ]' 10"
tap_check "it accepted features" eval "[ \$((\$(of s1 features) >> 32 & 1)) = 1 ]"
tap_check "a folder for each queue" [ "$(cd /sys/bus/vdpa/devices/s1/vmdev_queues && echo * | wc -w)" = "$(wc -w </sys/bus/vdpa/devices/s1/vmdev/paths)" ]
tap_check "files of a queue" queue_files s1 0
tap_check "how it runs" as s1 0 path "$(cut -d' ' -f1 /sys/bus/vdpa/devices/s1/vmdev/paths)"
tap_check "it is enabled" as s1 0 ready 1
tap_check "that of nobody is not" as s0 0 ready 0
tap_check "nor is it known where in its ring it is" as s0 1 used_index ''
tap_check "no interrupt is its own" as s1 0 irq ''
tap_check "its counters go up" counts
tap_check "where its ring is only root is told" hidden
tap_check "one who stands in a folder that goes" stands_in
tap_check "files of a management device" eval "mgmt_files vmdev_soft && mgmt_files vmdev_soft_blk"
tap_check "what it makes" eval "[ \$(mgmt vmdev_soft_blk device_id) = 2 ] && [ \"\$(mgmt vmdev_soft capabilities)\" = 'state log ring-reset' ]"
tap_check "how many" eval "[ \$(mgmt vmdev_soft devices) = 2 ] && [ \$(mgmt vmdev_soft software) = 1 ] && [ \$(mgmt vmdev_soft gone) = 0 ]"
hold /tmp/hold.log s0
tap_check "who has it, though nobody runs it" eval "is s0 holder hold_open && is s0 holder_pid $HOLDER && is s0 status 0x0"
let_go
tap_check "who had it has ended" eval "is s0 holder '' && is s0 holder_pid 0"
tap_check "files and devices come and go under readers" readers
tap_check "the files go with the module" gone
tap_check "dev del" eval "vdpa dev del s0 && vdpa dev del s1"
tap_check "modprobe -r" modprobe -r vmdev_soft vmdev_pci vmdev
tap_check "a clean kernel log" clean_log
tap_done
