#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What user space did not map, the hardware does not reach, whatever the default domain is.
# lab: --iommu pt --qemu -device --qemu pcie-pci-bridge,id=conv,bus=pcie.0,addr=10.0 --qemu -netdev --qemu user,id=n-conv --qemu -device --qemu virtio-net-pci,bus=conv,addr=1.0,netdev=n-conv,iommu_platform=on,disable-legacy=on,romfile= --qemu -device --qemu virtio-rng-pci,bus=conv,addr=2.0,iommu_platform=on,disable-legacy=on
# lab: --iommu on
# limit: 400
# long-kernels: 6.12 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

vf=$BDF_vf0_0

group_type() { cat "/sys/kernel/iommu_groups/$(iommu_group "$vf")/type"; }
passthrough() { grep -qw iommu=pt /proc/cmdline; }
default_domain() {
	if passthrough; then [ "$(group_type)" = identity ]; else group_type | grep '^DMA'; fi
}
client() { "$TOOLS/vhost_vdpa_ioctl" -d "$(vhost_of v0)" "$@"; }
no_faults() { ! dmesg_since "$1" | grep -E 'DMAR:.*fault'; }

maps_nothing() {
	local mark

	mark=$(dmesg_mark)
	tap_check "a client that maps nothing is refused, no byte of the host changes" \
		"$TOOLS/nomap" -d "$(vhost_of v0)"
	tap_check "one line says why" logged "$mark" 1 'v0: queue 0 .* refused: ring is not in mapped memory'
	tap_check "one line says that DRIVER_OK is refused" logged "$mark" 1 'v0: DRIVER_OK refused'
	mark=$(dmesg_mark)
	tap_check "nor when it maps something else" "$TOOLS/nomap" -d "$(vhost_of v0)" --lowmem
	tap_check "the refused ones did no DMA" no_faults "$mark"
}

# Rings are mapped, so the device runs; its buffers are host memory that nobody mapped.
# stray_buffer rx|tx Write|Read
stray_buffer() {
	local mark

	mark=$(dmesg_mark)
	tap_check "$1 buffer in memory that is not mapped: not a byte of it changes" \
		"$TOOLS/stray" -d "$(vhost_of v0)" "$1"
	tap_check "the device did try, the IOMMU reported it" \
		wait_for "dmesg_since $mark | grep -E 'DMAR:.*DMA $2.*${vf#0000:}'" 10
}

refused_maps() {
	client 'map_*' 'unmap_*' 'driver_ok_*' >/tmp/client.log
	tap_check "the maps of the client: what is taken and what is refused" \
		show_failures /tmp/client.log
	tap_check "a map over the MSI window is taken" \
		grep -qE '^ok [0-9]+ - map_over_msi_window$' /tmp/client.log
}
show_failures() {
	grep 'not ok' "$1"
	tail -n 1 "$1"
	grep -q ' passed, 0 failed' "$1"
}

unbind_bus() { echo v0 >/sys/bus/vdpa/devices/v0/driver/unbind; }

# All that was pinned is released, and the page tables are freed. Each CPU counts for itself
# until it is told to add up.
pinned() {
	cat /proc/sys/vm/stat_refresh
	awk '/^nr_foll_pin_acquired/ { a = $2 } /^nr_foll_pin_released/ { r = $2 } END { print a - r }' \
		/proc/vmstat
}
tables() {
	cat /proc/sys/vm/stat_refresh
	awk '/^nr_iommu_pages/ { print $2 }' /proc/vmstat
}

nothing_left() {
	local pins before maps=1500

	pins=$(pinned)
	before=$(tables)
	use_bus v0 vhost_vdpa
	tap_check "$maps pages are mapped, then the client exits" \
		"$TOOLS/stray" -d "$(vhost_of v0)" maps $maps
	tap_check "none is pinned any more" wait_for "[ \$(pinned) = $pins ]" 10
	unbind_bus
	tap_check "no page table is left" wait_for "[ \$(tables) -le $before ]" 10
}
virtio_after() {
	use_bus v0 virtio_vdpa && net_up "$vf" ns
	tap_check "virtio_vdpa works after user space" reach ns
	tap_check "in the default domain" default_domain
}

# Two functions behind a conventional bridge, which has one requester id for both.
shared_group() {
	local bdf=0000:02:01.0 mark

	tap_check "a function that shares its IOMMU group" \
		[ -e "/sys/bus/pci/devices/$bdf/iommu_group/devices/0000:02:02.0" ]
	mark=$(dmesg_mark)
	dev_add shared $bdf vhost_vdpa
	tap_check "user space cannot run it" not hold /tmp/hold.log shared -r
	tap_check "one line says why" \
		logged "$mark" 1 "$bdf: cannot leave .* its IOMMU group holds other devices"
	use_bus shared virtio_vdpa && net_up $bdf ns-shared
	tap_check "virtio_vdpa works" reach ns-shared
	tap_check "dev del" vdpa dev del shared
}

if passthrough; then tap_plan 25; else tap_plan 20; fi
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
vdpa_setup
tap_check "the default domain is that of the command line" default_domain
dev_add v0 "$vf" vhost_vdpa
maps_nothing
refused_maps
unbind_bus
nothing_left
if passthrough; then shared_group; fi
# The client takes memory away from a running device, too.
tap_check "a clean kernel log, but for DMA that was stopped" clean_log "$LOG_START" "$DMA_FAULTS"
use_bus v0 vhost_vdpa
stray_buffer rx Write
stray_buffer tx Read
virtio_after
tap_check "a clean kernel log, but for these" clean_log "$LOG_START" "$DMA_FAULTS"
tap_done
