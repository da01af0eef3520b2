#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs in the lab's root, in namespaces of its own: see host/tools.sh.
# shellcheck source=/dev/null disable=SC1003,SC2016	# strange names
cd /lab/build/selftests/tools || exit
dmesg() { :; }
. ../../scripts/vm-lib.sh
. ./completes.sh
# What it loses a process that ends loses, too.
export ASAN_OPTIONS=detect_leaks=0
vmdev=./vmdev
pci=/sys/bus/pci/devices

# says STATUS REGEX ARG...: a line of all that it says is like that.
says() {
	local status=$1 pattern=$2 said is

	said=$(timeout 60 $vmdev "${@:3}" 2>&1)
	is=$?
	[ $is = "$status" ] && grep -qE -- "$pattern" <<<"$said" && return
	echo "exit code $is, it said: $said"
	return 1
}
# with VARIABLE=VALUE... -- CMD...
with() {
	local pairs=()

	while [ "$1" != -- ]; do pairs+=("$1"); shift; done
	shift
	(export "${pairs[@]}" && "$@")
}
json_has() { $vmdev -j dev show | grep -qF -- "$1" || { $vmdev -j dev show | od -c; return 1; }; }
# is_text: what can be shown.
is_text() {
	$vmdev -j dev show | python3 -c 'import json, sys, unicodedata
said = sys.stdin.buffer.read().decode()
json.loads(said)
sys.exit(any(unicodedata.category(c) == "Cc" for c in said.strip()))'
}

# --- netlink ---------------------------------------------------------------------------
netlink() {
	local long

	long=$(printf %060000d 0)
	tap_check "a device" says 0 '^d0: ' dev show
	tap_check "a name beyond all bounds" says 1 'a name has 255 characters at most' dev show "$long"
	tap_check "of queues" says 1 'a name has 255' queue show "$long"
	tap_check "of one queue" says 1 'a name has 255' queue show "$long" 0
	tap_check "of paths" says 1 'a name has 255' path show "$long"
	tap_check "to set them" says 1 'a name has 255' path set "$long" auto
	tap_check "of a parent" says 1 'a name has 255' parent show "$long"
	tap_check "of its bus" says 1 'a name has 255' parent show "$long/0000:01:00.0"
	tap_check "of a function" says 1 'a name has 255' irq set "pci/$long" auto
	tap_check "of a log" says 1 'a name has 255' dirty show "$long"
	tap_check "the longest name" says 0 '^d0: ' dev show "${long:0:255}"
	tap_check "interrupted calls are made again" with FAKE=eintr -- says 0 '^d0: ' dev show
	tap_check "an answer that is lost is said" with FAKE=enobufs -- \
		says 2 "^Error: no answer of the kernel's: No buffer space available\.$" dev show
	tap_check "a question, too" with FAKE=nosend -- \
		says 2 "^Error: no answer of the kernel's: Cannot allocate memory\.$" path set d0 auto
	tap_check "a monitor ends with the module" with FAKE=gone -- \
		says 2 '^Error: no more events: module vmdev_ctl was unloaded\.$' monitor
	tap_check "what came before is told" with FAKE=gone -- says 2 '^dev-add dev d0$' monitor
	tap_check "or was lost" with FAKE=lost -- says 2 'module vmdev_ctl was unloaded' monitor
	tap_check "or was while it joined" with FAKE=reload -- says 2 'module vmdev_ctl was unloaded' monitor
}

# --- text ------------------------------------------------------------------------------
# shown BYTES JSON: of who has the device
shown() { with FAKE_HOLDER="$1" -- json_has "\"holder\":\"$2\"" && with FAKE_HOLDER="$1" -- is_text; }
text() {
	tap_check "text" shown 'qemu "\' 'qemu \"\\'
	tap_check "UTF-8" shown $'caf\u00e9 \u20ac \U1f600' $'caf\u00e9 \u20ac \U1f600'
	tap_check "controls" shown $'\e[2J\x7f' '\u001b[2J\u007f'
	tap_check "those of C1, in UTF-8" shown $'\xc2\x9b2J' '\u00c2\u009b2J'
	tap_check "and without" shown $'\x9b2J' '\u009b2J'
	tap_check "half a character" shown $'a\xe2\x82' 'a\u00e2\u0082'
	tap_check "longer than need be" shown $'\xe0\x80\xaf\xc0\xaf' '\u00e0\u0080\u00af\u00c0\u00af'
	tap_check "half of a pair" shown $'\xed\xa0\x80' '\u00ed\u00a0\u0080'
	tap_check "beyond the last one" shown $'\xf4\x90\x80\x80' '\u00f4\u0090\u0080\u0080'
	tap_check "a name, in text" with FAKE_NAME=$'\e[2J' -- says 0 '^\\u001b\[2J: ' dev show
	tap_check "an event of it" with FAKE=gone FAKE_NAME=$'\xff\r' -- says 2 '^dev-add dev \\u00ff\\u000d$' monitor
	tap_check "what is refused" says 1 'no object "\\u001b"' $'\e'
}

# --- completion ------------------------------------------------------------------------
completion() {
	. ../../tools/vmdev.bash
	vmdev() { ./vmdev "$@"; }
	tap_check "bash completes a device" completes 'vmdev dev show ' d0
	tap_check "not one that a shell would run" \
		with FAKE_NAME='$(touch${IFS}/tmp/pwned)' -- completes 'vmdev dev show ' ''
	tap_check "nor in old quotes" with FAKE_NAME='`touch${IFS}/tmp/pwned`' -- completes 'vmdev dev show ' ''
	tap_check "it was not run" [ ! -e /tmp/pwned ]
	tap_check "nor a pattern" with FAKE_NAME='*' -- completes 'vmdev dev show ' ''
}

# --- a machine -------------------------------------------------------------------------
# function_add BDF DRIVER CLASS [VIRTIO]: capabilities of virtio's, or one of another vendor's
function_add() {
	local at=$pci/$1 caps

	mkdir -p "$at" "/sys/bus/pci/drivers/$2"
	ln -sfn "/sys/bus/pci/drivers/$2" "$at/driver"
	: >"$at/driver_override"
	echo "$3" >"$at/class"
	caps='\x09\x50\x14\x01'
	[ -z "${4-}" ] || caps='\x09\x50\x10\x01'
	caps+='\0\0\0\0\0\0\0\0\0\0\0\0\x09\x00'
	if [ -n "${4-}" ]; then caps+='\x14\x02'; else caps+='\x0c\x01'; fi
	{
		printf '\0\0\0\0\0\0\x10\0%b' "$(printf '\\0%.0s' {1..44})"
		printf '\x40\0\0\0\0\0\0\0\0\0\0\0'
		printf '%b' "$caps"
		head -c 172 /dev/zero
	} >"$at/config"
	: >"/sys/bus/pci/drivers/$2/unbind"
	echo 0x1af4 >"$at/vendor"
	echo 0x1041 >"$at/device"
}
# virtio_add BDF CLASS FOLDER DRIVER: one that virtio-pci has, and a driver of virtio's
virtio_add() {
	function_add "$1" virtio-pci "$2" virtio
	mkdir -p "$pci/$1/virtio0/$3"
	ln -sfn "/sys/bus/virtio/drivers/$4" "$pci/$1/virtio0/driver"
}
# netdev_add FOLDER NAME FLAGS
netdev_add() { mkdir -p "$1/net/$2" && echo "$3" >"$1/net/$2/flags"; }
# disk_add DISK BDF PATH: below a function
disk_add() { mkdir -p "$pci/$2/$3/$1"; ln -sfn "$pci/$2/$3/$1" "/sys/block/$1"; }
# refused PATTERN BDF: and nothing is written
refused() {
	: >"$pci/$2/driver_override" && : >"$pci/$2/driver/unbind"
	says 2 "$1" bind "$2" && [ ! -s "$pci/$2/driver_override" ] && [ ! -s "$pci/$2/driver/unbind" ]
}
# taken BDF: its driver is asked to let go. (It does not, here.)
taken() {
	says 2 'does not take it' bind "$1"
	[ "$(cat "$pci/$1/driver/unbind")" = "$1" ]
}
# group N BDF...: who shares IOMMU group N
group() {
	local bdf n=$1

	shift
	mkdir -p "/sys/kernel/iommu_groups/$n/devices"
	for bdf; do
		ln -sfn "/sys/kernel/iommu_groups/$n" "$pci/$bdf/iommu_group"
		ln -sfn "$pci/$bdf" "/sys/kernel/iommu_groups/$n/devices/$bdf"
	done
}
# mend BDF: of its IOMMU group, the command
mend() { $vmdev doctor "$1" | sed -n 's/^iommu-group: .*; to mend: //p'; }
mends_by() { local is; is=$(mend "$1"); echo "$is"; [ "$is" = "$2" ]; }

binding() {
	local nic=0000:01:00.0 i

	mkdir -p /sys/{block,devices} /sys/bus/pci/drivers/vmdev_pci /sys/bus/vdpa/devices
	: >/sys/bus/pci/drivers_probe
	virtio_add $nic 0x020000 net virtio_net
	netdev_add $pci/$nic/virtio0 eth0 0x1002
	tap_check "an idle NIC is taken" taken $nic
	function_add 0000:02:00.0 ahci 0x010601
	tap_check "what is no virtio function is not" refused 'is no virtio function' 0000:02:00.0
	head -c 64 $pci/0000:02:00.0/config >/tmp/config && cp /tmp/config $pci/0000:02:00.0/config
	tap_check "nor what nobody can see" refused 'ahci has it, and what for cannot be seen' 0000:02:00.0
	virtio_add 0000:03:00.0 0x010000 host0 virtio_scsi
	disk_add null 0000:03:00.0 virtio0/host0/target0:0:0/0:0:0:0/block
	tap_check "a disk of virtio-scsi that is free" taken 0000:03:00.0
	disk_add no-such-disk 0000:03:00.0 virtio0/host0/target0:0:1/0:0:1:0/block
	tap_check "one of which nobody knows" refused 'whether its disk /dev/no-such-disk is in use cannot be seen' 0000:03:00.0
	virtio_add 0000:04:00.0 0x010802 nvme virtio_blk
	disk_add nvme9c2n1 0000:04:00.0 nvme/nvme0
	echo 1 >/sys/block/nvme9c2n1/hidden
	tap_check "one path to a disk" refused 'its disk /dev/nvme9n1 is' 0000:04:00.0
	disk_add 'raid!c0d0' 0000:04:00.0 block
	rm /sys/block/nvme9c2n1
	tap_check "one in a folder" refused 'its disk /dev/raid/c0d0 is' 0000:04:00.0
	function_add 0000:05:00.0 mlx5_core 0x020000 virtio
	tap_check "a NIC of any driver, in another network namespace" \
		refused 'its network interface is in another network namespace, or a process has it' 0000:05:00.0
	netdev_add $pci/0000:05:00.0 'e$(id)' 0x1003
	tap_check "or up, with a name for a shell" refused "ip link set 'e\\$\(id\)' down" 0000:05:00.0
	echo 0x1002 >"$pci/0000:05:00.0/net/e\$(id)/flags"
	tap_check "or down" taken 0000:05:00.0
	for driver in vfio-pci uio_pci_generic; do
		function_add 0000:06:00.0 $driver 0x020000 virtio
		tap_check "$driver" refused "in use: $driver has it" 0000:06:00.0
	done
	function_add 0000:06:00.0 vp_vdpa 0x020000 virtio
	mkdir -p "$pci/0000:06:00.0/vdpa'0"
	ln -s "$pci/0000:06:00.0/vdpa'0" /sys/bus/vdpa/devices/
	tap_check "a vDPA device, its name quoted" refused "vdpa dev del 'vdpa'\\\\''0' ends that" 0000:06:00.0
	rm /sys/bus/vdpa/devices/*
	tap_check "its driver without one" taken 0000:06:00.0
	virtio_add 0000:07:00.0 0x018000 9p 9pnet_virtio
	tap_check "a file system" refused '9pnet_virtio has it, and what for' 0000:07:00.0

	group 1 $nic 0000:02:00.0
	tap_check "an IOMMU group with what is in use" mends_by $nic 'lspci -tv'
	tap_check "why" says 1 '0000:02:00.0 is in use: ahci has it' doctor $nic
	rm $pci/0000:02:00.0/driver
	tap_check "with what has no driver" mends_by $nic "echo 1 > $pci/0000:02:00.0/remove"
	for ((i = 0; i < 24; i++)); do
		mkdir -p $pci/0000:08:0$((i / 8)).$((i % 8))
		group 1 0000:08:0$((i / 8)).$((i % 8))
	done
	tap_check "with too many" mends_by $nic 'lspci -tv'
	tap_check "why" says 1 'they are too many to be removed' doctor $nic
}

# A machine without an IOMMU.
found() { $vmdev doctor "${@:2}" | grep -E -- "^$1"; }
none() { ! found "$@"; }
doctor() {
	rm -r /sys/kernel/iommu_groups
	mkdir -p /sys/module/vdpa
	tap_check "no IOMMU" found iommu
	mkdir /sys/module/vmdev_soft
	tap_check "software needs none" none iommu
	tap_check "a function does" found iommu 0000:01:00.0
	ln -s $pci/0000:01:00.0 /sys/bus/pci/drivers/vmdev_pci/
	tap_check "one of ours, too" found iommu
	mkdir -p "/lib/modules/$(uname -r)"
	for module in vhost_vdpa virtio_vdpa vmdev; do
		echo "kernel/$module.ko:"
	done >"/lib/modules/$(uname -r)/modules.dep"
	echo 'install vhost_vdpa /bin/false' >/etc/modprobe.d/a.conf
	tap_check "a module that may not be loaded" found 'modules: vhost_vdpa .*/a.conf forbids it'
	for option in -i --ignore-install; do
		echo "install vhost_vdpa /sbin/modprobe $option vhost_vdpa" >/etc/modprobe.d/a.conf
		tap_check "one that is loaded by a command, $option" none 'modules: vhost_vdpa .* forbids it'
	done
}

for dir in /sys /etc/modprobe.d /lib/modules; do
	mkdir -p $dir
	mount -t tmpfs tmpfs $dir || exit
done
tap_plan 62
netlink
text
completion
binding
doctor
tap_done
