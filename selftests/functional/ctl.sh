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

ioctl=$TOOLS/vhost_vdpa_ioctl
of() { cat "/sys/bus/vdpa/devices/$1/vmdev/$2"; }
# is NAME FILE VALUE
is() { local value; value=$(of "$1" "$2"); echo "$2: $value"; [ "$value" = "$3" ]; }
files='features holder holder_pid logged offered paths policy reason state status'
names() { (cd "/sys/bus/vdpa/devices/$1/vmdev" && echo *); }
there() { [ "$(names "$1")" = "$files" ]; }
only_cores() { [ "$(names "$1")" = 'paths policy' ]; }
mine() { modprobe vmdev_ctl && there s0; }
gone() { modprobe -r vmdev_ctl && only_cores s0; }
unread() { local f; for f in $files; do cat "/sys/bus/vdpa/devices/s0/vmdev/$f" >/dev/null || return; done; }
# Files are read all the time, while devices and the module come and go.
readers() {
	local n=0 pids=()

	(while sleep 0.01; do cat /sys/bus/vdpa/devices/*/vmdev/*; done) >/dev/null 2>&1 &
	pids+=($!)
	(while sleep 0.05; do modprobe vmdev_ctl; modprobe -r vmdev_ctl; done) >/dev/null 2>&1 &
	pids+=($!)
	for ((n = 0; n < 30; n++)); do
		vdpa dev add name r0 mgmtdev vmdev_soft || break
		vdpa dev del r0 || break
	done
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null
	[ $n = 30 ] && modprobe vmdev_ctl
}

tap_plan 16
tap_check "modules" soft_setup
tap_check "a device, before the control plane" soft_add s0 vhost_vdpa
tap_check "the core's own files" only_cores s0
tap_check "the control plane's, beside them" mine
tap_check "all can be read" unread
tap_check "nobody runs it" is s0 state off
tap_check "a device after it" eval "soft_add s1 virtio_vdpa && there s1"
tap_check "its driver runs it" eval "wait_for '[ \$(of s1 state) = running ]' 10"
tap_check "it accepted features" eval "[ \$((\$(of s1 features) >> 32 & 1)) = 1 ]"
tap_check "a client comes and goes" "$ioctl" -d "$(vhost_of s0)" device_id_stable
tap_check "who it was" eval "[[ \$(of s0 holder) = vhost_vdpa_ioct* ]] && [ \$(of s0 holder_pid) -gt 1 ]"
tap_check "files and devices come and go under readers" readers
tap_check "the files go with the module" gone
tap_check "dev del" eval "vdpa dev del s0 && vdpa dev del s1"
tap_check "modprobe -r" modprobe -r vmdev_soft vmdev_pci vmdev
tap_check "a clean kernel log" clean_log
tap_done
