#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The main job: a VF becomes a vDPA device, and a stock QEMU guest pings through it.
# Runs in the VM: make demo, or scripts/lab-run -- selftests/functional/demo.sh
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh

vf=$BDF_vf0_0
# A line of make demo's summary.
fact() { echo "# fact: $1: $2"; }

# Keep the last counters of a queue that were to be had: there are none without a driver.
watch_queue() {
	local stats

	while sleep 1; do
		stats=$(vdpa dev vstats show vdpa0 qidx "$1" 2>/dev/null) && echo "$stats" >"/tmp/queue$1"
	done
}

nested() {
	run_nested_guest "$(vhost_of vdpa0)" >/out/nested.log 2>&1
	grep -q "ping 0% loss" /out/nested.log && ! grep -q "ring restore failed" /out/nested.log
}

tap_plan 8
tap_check "virtio_net creates two VFs" vf_create "$BDF_pf0" 2
tap_check "modprobe vmdev_pci" load_vmdev
tap_check "vmdev_pci takes the VF by driver_override" bind_driver "$vf" vmdev_pci
modprobe vhost_vdpa
tap_check "vdpa dev add name vdpa0 mgmtdev pci/$vf" vdpa dev add name vdpa0 mgmtdev "pci/$vf"
tap_check "vhost-vdpa serves it" wait_for "[ -c \"\$(vhost_of vdpa0)\" ]" 5
fact VM "Linux $(uname -r), $(grep -o 'Enabled IRQ remapping.*' <(dmesg))"
fact NIC "$BDF_pf0, virtio-net with SR-IOV, $(cat "/sys/bus/pci/devices/$BDF_pf0/sriov_numvfs") VFs"
fact VF "$(dmesg | sed -n "s/.*\(vmdev_pci $vf: .*vectors.*\)/\1/p" | tail -n 1)"
fact device "$(vdpa dev show vdpa0)"
fact config "$(vdpa dev config show vdpa0)"
fact guest "$(qemu-system-x86_64 --version | head -n 1), -netdev vhost-vdpa,vhostdev=$(vhost_of vdpa0)"
watch_queue 0 & watchers=($!)
watch_queue 1 & watchers+=($!)
tap_check "a stock QEMU guest pings through it, 0% loss" nested
kill "${watchers[@]}"
sed 's/^/# /' /out/nested.log
fact ping "$(tr -d '\r' </out/nested.log | sed -n 's/^NESTED: ping //p'), from the guest through the VF to 10.0.2.2"
fact "rx queue" "$(grep -o "kicks.*" /tmp/queue0)"
fact "tx queue" "$(grep -o "kicks.*" /tmp/queue1)"
tap_check "vdpa dev del" vdpa dev del vdpa0
if splat=$(dmesg_splat); then tap_not_ok "a clean kernel log" "$splat"; else tap_ok "a clean kernel log"; fi
tap_done
