#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The FPGA SmartNIC: its functions become vDPA devices, two of net and a disk. A stock QEMU guest
# reaches, through the one, the host's own virtio-net on the other; meanwhile it is dirty-logged by the
# hardware, suspended and resumed, and its queues stay direct. The disk serves the host, then the guest.
# Runs in the VM: make demo-fpga
# lab: --pfs 0 --fpga 2 --fpga-blk 1
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154,SC2034	# BDF_*, NESTED_*: to and from vm-lib.sh
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

a=$BDF_fpga0 b=$BDF_fpga1 disk=$BDF_fpgablk0
vmdev=/build/tools/vmdev

# A line of make demo-fpga's summary.
fact() { echo "# fact: $1: $2"; }
nested() {
	# It lives until its first dirty pages were seen.
	NESTED_CMDLINE="vmdev.run=ping,blk vmdev.count=20"
	run_nested_guest "$(vhost_of fpga0)" "$(vhost_of fpgablk0)" >/out/nested.log 2>&1
	grep -q "ping 0% loss" /out/nested.log && grep -q "blk ok" /out/nested.log &&
		! grep -q "ring restore failed" /out/nested.log
}
# The first 8 MiB are the guest's. What is written carries its own checksums.
disk_up() { use_bus fpgablk0 virtio_vdpa && wait_for "block_of $disk" 5; }
verified() {
	fio --name=verify --filename="/dev/$(block_of "$disk")" --rw=randwrite --bs=4k-64k --offset=8m --size=8m \
		--ioengine=libaio --iodepth=16 --direct=1 --verify=crc32c --verify_fatal=1 --randseed=1 \
		--fsync=64 --output-format=terse "$@"
}
disk_to_guest() { use_bus fpgablk0 vhost_vdpa && wait_for "[ -c \"\$(vhost_of fpgablk0)\" ]" 5; }
# Logged from the guest's first frames on, for as long as it runs.
logged() {
	wait_for "$vmdev path show fpga0 | grep -q 'paths direct direct'" 120 || return
	$vmdev dirty watch fpga0 -i 1 >/tmp/rate 2>&1 &

	wait_for "grep -qE 'pages [1-9]' /tmp/rate" 120 && $vmdev path show fpga0 >/tmp/paths
}
was_logged() { grep -E 'pages [1-9]' /tmp/rate && grep 'paths direct direct' /tmp/paths; }

tap_plan 14
tap_check "modprobe vmdev_pci" vdpa_setup
modprobe vmdev_ctl
tap_check "vmdev_pci takes two functions by driver_override" eval "bind_driver $a vmdev_pci && bind_driver $b vmdev_pci"
tap_check "vdpa dev add name fpga0 mgmtdev pci/$a" dev_add fpga0 "$a" vhost_vdpa
tap_check "the host's virtio-net has the other one, 10.0.2.2" eval "dev_add fpga1 $b virtio_vdpa && net_up $b peer 10.0.2.2"
tap_check "vdpa dev add name fpgablk0 mgmtdev pci/$disk" dev_add fpgablk0 "$disk"
tap_check "the host's virtio-blk has it: fio's random writes, verified" eval "disk_up && verified"
tap_check "now vhost_vdpa has it" disk_to_guest
fact VM "Linux $(uname -r)"
fact function "$a, $(lspci -s "$a" -n | cut -d' ' -f3), subsystem $(cat "/sys/bus/pci/devices/$a/subsystem_"{vendor,device} | xargs)"
fact parent "$($vmdev parent show "$a" | tail -n 1 | sed 's/^ *//')"
fact device "$(vdpa dev show fpga0)"
fact guest "$(qemu-system-x86_64 --version | head -n 1), -netdev vhost-vdpa,vhostdev=$(vhost_of fpga0)"
logged & logs=$!
tap_check "a stock QEMU guest pings through it, 0% loss, and has the disk" nested
wait $logs
sed 's/^/# /' /out/nested.log
fact ping "$(tr -d '\r' </out/nested.log | sed -n 's/^NESTED: ping //p'), from the guest through both functions to 10.0.2.2"
fact disk "$(tr -d '\r' </out/nested.log | sed -n 's/^NESTED: blk //p'): 4 MiB that the guest wrote, flushed and read"
kill -INT "$(pgrep -f 'vmdev dirty watch')" 2>/dev/null
tap_check "the hardware logged what it wrote, and queues were direct" was_logged
fact "dirty log" "$(grep -E 'pages [1-9]' /tmp/rate | head -n 1)"
fact paths "$(cat /tmp/paths)"
tap_check "queues are suspended and resumed where they are" \
	stepped "$TOOLS/steps" -d "$(vhost_of fpga0)" -- up=ok send=ok suspend=ok resume=ok send=ok close=ok
tap_check "the host has the disk again, and its data" eval "disk_up && verified --verify_only"
tap_check "vdpa dev del" eval "vdpa dev del fpga0 && vdpa dev del fpga1 && vdpa dev del fpgablk0"
tap_check "modprobe -r" eval "unbind_driver $a; unbind_driver $b; unbind_driver $disk; modprobe -r vmdev_ctl vmdev_pci"
if splat=$(dmesg_splat); then tap_not_ok "a clean kernel log" "$splat"; else tap_ok "a clean kernel log"; fi
tap_done
