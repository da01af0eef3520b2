#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Management devices of vmdev_soft: those of its parameters, and those that come and go at run time.
# lab: --vfs 0
# limit: 300
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

class=/sys/class/vmdev_soft
there() { # NAME TYPE: it makes devices of this type
	vdpa -j mgmtdev show | python3 -c 'import json, sys
name, kind = sys.argv[1:]
dev = json.load(sys.stdin)["mgmtdev"][name]
assert dev["supported_classes"] == [kind] and dev["dev_features"], dev' "$@"
}
are() { # NAME...: those that there are, and no more
	local have

	have=$(cd $class && find . -mindepth 1 -type l -printf '%f\n' | sort | xargs)
	echo "$have"
	[ "$have" = "$*" ] && [ "$(vdpa mgmtdev show | grep -c '^vmdev_soft\|^rack')" = $# ]
}
new() { put "$*" $class/new_mgmtdev; }
del() { put "$1" $class/del_mgmtdev; }
# refused ERRNO WHY CMD...: and one line says why.
refused() {
	local mark errno=$1 why=$2 output

	shift 2
	mark=$(dmesg_mark)
	output=$("$@" 2>&1) && return 1
	echo "$output"
	[[ $output = *"$errno"* ]] && logged "$mark" 1 "$why"
}
several() { modprobe vmdev_soft net_mgmtdevs=3 blk_mgmtdevs=2 && are vmdev_soft vmdev_soft1 vmdev_soft2 vmdev_soft_blk vmdev_soft_blk1; }
none() { modprobe vmdev_soft net_mgmtdevs=0 blk_mgmtdevs=0 && are; }
too_many_fails() { modprobe vmdev_soft net_mgmtdevs=5000; }
on_each() {
	local dev

	for dev in vmdev_soft vmdev_soft1 vmdev_soft2 vmdev_soft_blk vmdev_soft_blk1; do
		vdpa dev add name "d-$dev" mgmtdev $dev && vdpa dev show "d-$dev" | grep "mgmtdev $dev " || return
	done
	[ -e /sys/devices/virtual/vmdev_soft/vmdev_soft2/d-vmdev_soft2 ]
}
# A name is free again, whatever it was before.
comes_and_goes() {
	local i

	for i in 1 2 3 4 5 6 7 8; do
		new "$([ $((i % 2)) = 0 ] && echo net || echo blk)" rack8 && del rack8 || return
	done
}
# Two who write at once, and devices that are made on it meanwhile: no device is left without it.
racers() {
	(for ((i = 0; i < 60; i++)); do new net rack9; del rack9; done) >/dev/null 2>&1 &
	local first=$!
	(for ((i = 0; i < 60; i++)); do new net rack9; del rack9; done) >/dev/null 2>&1 &
	local second=$!
	for ((i = 0; i < 60; i++)); do
		vdpa dev add name r9 mgmtdev rack9 2>/dev/null && { vdpa dev del r9 || return; }
	done
	wait $first $second
	not vdpa dev show r9 || return
	del rack9 2>/dev/null
	are rack7 vmdev_soft vmdev_soft_blk
}
soft_on() { # MGMTDEV NAME NS ADDR
	vdpa dev add name "$2" mgmtdev "$1" && use_bus "$2" virtio_vdpa && guest "$2" "$3" "$4"
}
talk() {
	soft_on rack7 r7 g7 10.9.0.7 && soft_on vmdev_soft s0 g0 10.9.0.2 && wire r7 s0 && pings g0 10.9.0.7
}
# With a device in use: all go with the module, or it stays.
unload() { new net rack7 && new blk rack8 && vdpa dev add name r7 mgmtdev rack7 && modprobe -r vmdev_soft && [ ! -e $class ]; }

tap_plan 28
tap_check "modules" vdpa_setup
tap_check "several of each by parameters" several
tap_check "a device on each" on_each
tap_check "all go with the module" modprobe -r vmdev_soft
tap_check "none by parameters" none
tap_check "a first one at run time" eval "new net rack7 && there rack7 net && are rack7"
tap_check "all go with the module" modprobe -r vmdev_soft
tap_check "too many are refused" refused '' 'net_mgmtdevs=5000 is more than' too_many_fails
tap_check "one of each by default" eval "soft_setup && there vmdev_soft net && there vmdev_soft_blk block"
tap_check "new: of network devices" eval "new net rack7 && there rack7 net"
tap_check "new: of block devices" eval "new blk rack8 && there rack8 block"
tap_check "new: refused, there is one" refused "File exists" 'there is rack7 already' new net rack7
tap_check "new: refused, there is one of the other type" refused "File exists" 'there is rack7 already' new blk rack7
tap_check "new: refused, no such type" refused "Invalid argument" 'no type scsi' new scsi rack9
tap_check "new: refused, no name" refused "Invalid argument" 'not "net NAME"' new net
tap_check "new: refused, too many words" refused "Invalid argument" 'not "net NAME"' new net rack9 rack10
tap_check "new: refused, a slash" refused "Invalid argument" 'a name has letters' new net ../rack9
tap_check "new: refused, too long" refused "Invalid argument" 'new_mgmtdev' new net "$(printf 'n%.0s' {1..100})"
tap_check "devices of two talk to each other" talk
tap_check "del: refused while it has devices" refused "Device or resource busy" 'rack7 has devices' del rack7
tap_check "del: refused, there is none" refused "No such device" 'there is no rack9' del rack9
tap_check "del: the block one" eval "del rack8 && are rack7 vmdev_soft vmdev_soft_blk"
tap_check "comes and goes" comes_and_goes
tap_check "devices, and del: one after the other" eval "vdpa dev del r7 && vdpa dev del s0 && del rack7 && new net rack7"
tap_check "made and removed by several at once" racers
tap_check "del, once more" del rack7
tap_check "modprobe -r" unload
tap_check "a clean kernel log" clean_log
tap_done
