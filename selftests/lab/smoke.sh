#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The lab itself works: SR-IOV, IOMMU groups, interrupt remapping, an in-tree parent, a
# nested guest. Runs in the VM: scripts/lab-run -- selftests/lab/smoke.sh
# kernels: 6.12 7.2
# long-kernels: 6.12
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh

vf=$BDF_vf0_0
nested() { run_nested_guest "$(vhost_of vdpa0)" | tee /out/nested.log | grep "ping 0% loss"; }

tap_plan 9
tap_check "interrupts are remapped" grep -q "Enabled IRQ remapping" <(dmesg)
tap_check "virtio_net creates two VFs" vf_create "$BDF_pf0" 2
tap_check "each VF has an IOMMU group of its own" \
	[ "$(ls "/sys/kernel/iommu_groups/$(iommu_group "$vf")/devices")" = "$vf" ]
tap_check "peers load" load_peers vp_vdpa vdpa_sim_net
tap_check "vp_vdpa takes a VF" bind_driver "$vf" vp-vdpa
tap_check "a vDPA device is added" vdpa dev add name vdpa0 mgmtdev "pci/$vf"
tap_check "vhost-vdpa serves it" wait_for "[ -c \"\$(vhost_of vdpa0)\" ]" 5
tap_check "a nested guest reaches the gateway" nested
if splat=$(dmesg_splat); then tap_not_ok "a clean kernel log" "$splat"; else tap_ok "a clean kernel log"; fi
tap_done
