#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The main job: a VF becomes a vDPA device, and a stock QEMU guest pings through it.
# Runs in the VM: scripts/lab-run -- selftests/functional/demo.sh
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh

vf=$BDF_vf0_0
nested() {
	run_nested_guest "$(vhost_of vdpa0)" >/out/nested.log
	grep -q "ping 0% loss" /out/nested.log && ! grep -q "ring restore failed" /out/nested.log
}

tap_plan 8
tap_check "virtio_net creates two VFs" vf_create "$BDF_pf0" 2
tap_check "modprobe vmdev_pci" load_vmdev
tap_check "vmdev_pci takes the VF by driver_override" bind_driver "$vf" vmdev_pci
modprobe vhost_vdpa
tap_check "vdpa dev add name vdpa0 mgmtdev pci/$vf" vdpa dev add name vdpa0 mgmtdev "pci/$vf"
tap_check "vhost-vdpa serves it" wait_for "[ -c '$(vhost_of vdpa0)' ]" 5
tap_check "a stock QEMU guest pings through it, 0% loss" nested
cat /out/nested.log
vdpa -jp dev show; vdpa dev config show; vdpa dev vstats show vdpa0 qidx 0
tap_check "vdpa dev del" vdpa dev del vdpa0
if splat=$(dmesg_splat); then tap_not_ok "a clean kernel log" "$splat"; else tap_ok "a clean kernel log"; fi
dmesg | grep -E 'vmdev|vdpa0|DMAR'
tap_done
