#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Without an IOMMU user space gets nothing; the host's own driver works.
# lab: --iommu off
# limit: 300
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

vf=$BDF_vf0_0

tap_plan 8
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
vdpa_setup
mark=$(dmesg_mark)
tap_check "a device can be added" dev_add v0 "$vf" vhost_vdpa
tap_check "user space cannot run it" not hold /tmp/hold.log v0 -r
tap_check "one line says why" \
	logged "$mark" 1 "$vf: no IOMMU translates this function.*enable the IOMMU"
tap_check "nor can it without maps: no byte of the host changes" \
	"$TOOLS/nomap" -d "$(vhost_of v0)"
use_bus v0 virtio_vdpa && net_up "$vf" ns
tap_check "virtio_vdpa works" reach ns
tap_check "dev del" vdpa dev del v0
tap_check "a clean kernel log" clean_log
tap_done
