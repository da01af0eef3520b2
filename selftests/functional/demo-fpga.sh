#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The FPGA SmartNIC: two of its functions become vDPA devices. A stock QEMU guest reaches, through the
# one, the host's own virtio-net on the other; meanwhile it is dirty-logged by the hardware, suspended
# and resumed, and its queues stay direct.
# Runs in the VM: make demo-fpga
# lab: --pfs 0 --fpga 2
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

a=$BDF_fpga0 b=$BDF_fpga1
vmdev=/build/tools/vmdev

# A line of make demo-fpga's summary.
fact() { echo "# fact: $1: $2"; }
nested() {
	run_nested_guest "$(vhost_of fpga0)" >/out/nested.log 2>&1
	grep -q "ping 0% loss" /out/nested.log && ! grep -q "ring restore failed" /out/nested.log
}
# Logged from the guest's first frames on, for as long as it runs.
logged() {
	wait_for "$vmdev path show fpga0 | grep -q 'paths direct direct'" 120 || return
	$vmdev dirty watch fpga0 -i 1 >/tmp/rate 2>&1 &

	wait_for "grep -qE 'pages [1-9]' /tmp/rate" 120 && $vmdev path show fpga0 >/tmp/paths
}
was_logged() { grep -E 'pages [1-9]' /tmp/rate && grep 'paths direct direct' /tmp/paths; }

tap_plan 10
tap_check "modprobe vmdev_pci" vdpa_setup
modprobe vmdev_ctl
tap_check "vmdev_pci takes two functions by driver_override" eval "bind_driver $a vmdev_pci && bind_driver $b vmdev_pci"
tap_check "vdpa dev add name fpga0 mgmtdev pci/$a" dev_add fpga0 "$a" vhost_vdpa
tap_check "the host's virtio-net has the other one, 10.0.2.2" eval "dev_add fpga1 $b virtio_vdpa && net_up $b peer 10.0.2.2"
fact VM "Linux $(uname -r)"
fact function "$a, $(lspci -s "$a" -n | cut -d' ' -f3), subsystem $(cat "/sys/bus/pci/devices/$a/subsystem_"{vendor,device} | xargs)"
fact parent "$($vmdev parent show "$a" | tail -n 1 | sed 's/^ *//')"
fact device "$(vdpa dev show fpga0)"
fact guest "$(qemu-system-x86_64 --version | head -n 1), -netdev vhost-vdpa,vhostdev=$(vhost_of fpga0)"
logged & logs=$!
tap_check "a stock QEMU guest pings through it, 0% loss" nested
wait $logs
sed 's/^/# /' /out/nested.log
fact ping "$(tr -d '\r' </out/nested.log | sed -n 's/^NESTED: ping //p'), from the guest through both functions to 10.0.2.2"
kill -INT "$(pgrep -f 'vmdev dirty watch')" 2>/dev/null
tap_check "the hardware logged what it wrote, and queues were direct" was_logged
fact "dirty log" "$(grep -E 'pages [1-9]' /tmp/rate | head -n 1)"
fact paths "$(cat /tmp/paths)"
tap_check "queues are suspended and resumed where they are" \
	stepped "$TOOLS/steps" -d "$(vhost_of fpga0)" -- up=ok send=ok suspend=ok resume=ok send=ok close=ok
tap_check "vdpa dev del" eval "vdpa dev del fpga0 && vdpa dev del fpga1"
tap_check "modprobe -r" eval "unbind_driver $a; unbind_driver $b; modprobe -r vmdev_ctl vmdev_pci"
if splat=$(dmesg_splat); then tap_not_ok "a clean kernel log" "$splat"; else tap_ok "a clean kernel log"; fi
tap_done
