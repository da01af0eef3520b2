#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The doorbell in user space: mapped where it is alone in its page, refused everywhere else.
# lab: --net hub --plain-nic 1 --queues 2 --prop page-per-vq=on
# lab: --net hub --plain-nic 1
# limit: 400
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

vf=$BDF_vf0_0
log=/tmp/hold.log

ioctl=$TOOLS/vhost_vdpa_ioctl
number=$("$ioctl" --list | grep -cE '^(doorbell|ctrl.*doorbell)')

client() { "$ioctl" -d "$(vhost_of v0)" -p "$(vhost_of peer)" "$@"; }
storm() { "$TOOLS/kick_storm" -d "$(vhost_of v0)" -p "$(vhost_of peer)" "$@"; }
# Distance of two doorbells, from the notification capability of the function.
multiplier() {
	python3 - "/sys/bus/pci/devices/$vf/config" <<-'END'
		import struct, sys
		config = open(sys.argv[1], "rb").read()
		at = config[0x34]
		while at:
		    if config[at] == 9 and config[at + 3] == 2:
		        print(struct.unpack_from("<I", config, at + 16)[0])
		    at = config[at + 1]
	END
}

# The function vanishes while threads kick through the page.
gone() {
	later storm -n 1000000 -s 9
	tap_check "threads kick a device that runs" wait_for "grep -q vmdev-vq0:$vf /proc/interrupts" 30
	setpci -s "$BDF_pf0" ECAP_SRIOV+8.w=0:1
	# It may not get to its end, but it must get to an end.
	tap_check "the function vanishes: they end" wait_for "[ -s /tmp/later.$LATER ]" 60
	tap_check "nothing hung" not grep hang /tmp/later-output
	later put "$vf" /sys/bus/pci/drivers/vmdev_pci/unbind
	tap_check "the driver lets go" ends 20
}

mapped() {
	tap_plan $((number + 9))
	setup
	tap_adopt "doorbell" client --require doorbell,net,peer,ctrl,mq \
		'doorbell*' 'ctrl*doorbell*'
	hold $log v0 -t -m -p "$(vhost_of peer)"
	tap_check "user space runs the device with the doorbell mapped" grep READY $log
	let_go
	storm -n 20 -s 7 >/tmp/storm.log 2>&1
	tap_check "a storm of kicks through the page" grep 'doorbell mapped: nothing hung' /tmp/storm.log
	gone
}

refused() {
	tap_plan $((number + 5))
	setup
	tap_adopt "doorbell" client --require net,peer 'doorbell*' 'ctrl*doorbell*'
	tap_check "a doorbell that is not alone in its page cannot be mapped" \
		not hold $log v0 -r -m
	tap_check "the errno says so" grep -E 'doorbell: (Unknown error 524|Operation not supported)' $log
}

setup() {
	tap_check "a VF is a device" dev_add v0 "$vf" vhost_vdpa
	tap_check "so is its peer" dev_add peer "$BDF_nic0" vhost_vdpa
}

vf_create "$BDF_pf0" 2 || exit
vdpa_setup
if [ "$(multiplier)" -ge 4096 ]; then mapped; else refused; fi
tap_check "a clean kernel log" clean_log
tap_done
