#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Memory of a guest where x86 takes MSIs: mapped elsewhere for the hardware, with queues in shadow
# as long as it stands; split and packed rings, net and block, and what is logged of it.
# lab: --net hub --blk 1 --prop packed=on
# limit: 400
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

ioctl=$TOOLS/vhost_vdpa_ioctl
dirty=/build/selftests/dirty/dirty_ioctl
tests=$("$ioctl" --list | grep -c '^alias_')
# VERSION_1 ACCESS_PLATFORM RING_PACKED CTRL_VQ STATUS MRG_RXBUF MAC
packed_features=0x700038020

net() { "$ioctl" -d "$(vhost_of v0)" -p "$(vhost_of v1)" --require net,peer "$@"; }
huge_pages() { put 8 /proc/sys/vm/nr_hugepages && [ "$(cat /proc/sys/vm/nr_hugepages)" = 8 ]; }

tap_plan $((3 * tests + 12))
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
vdpa_setup
tap_check "huge pages, which are mapped whole" huge_pages
tap_check "a VF is a device" dev_add v0 "$BDF_vf0_0" vhost_vdpa
tap_check "so is the one at the other end of the wire" dev_add v1 "$BDF_vf0_1" vhost_vdpa
tap_check "so is a block function" dev_add b0 "$BDF_blk0" vhost_vdpa
mark=$(dmesg_mark)
tap_adopt "net" net 'alias_*'
tap_check "one line says why DRIVER_OK is refused" logged "$mark" 1 'v0: DRIVER_OK refused'
# A map is of what is in one piece physically: it may begin below.
tap_check "one says why a map is" logged "$mark" 1 \
	'v0: map of 0xfe[de][0-9a-f]*-0x[0-9a-f]* refused: the platform reserves IOVAs there'
tap_check "and that queues cannot be direct" logged "$mark" 3 \
	'v0: queue 0 cannot run: policy is direct, and memory is mapped where the platform reserves'
mark=$(dmesg_mark)
tap_adopt "blk" "$ioctl" -d "$(vhost_of b0)" --scratch --require blk 'alias_*'
tap_check "one line says which chain was too long" logged "$mark" 1 \
	'b0: queue 0 is broken: too many pieces over reserved IOVAs'
tap_adopt "log" $dirty -n b0 -b "$BDF_blk0" -d "$(vhost_of b0)" over_the_msi_window
vdpa dev del v0
tap_check "with packed rings" dev_add v0 "$BDF_vf0_0" vhost_vdpa device_features $packed_features
tap_adopt "packed" net --require packed 'alias_*'
vdpa dev del v0
vdpa dev del v1
vdpa dev del b0
# The client takes memory away from a running device, too.
tap_check "a clean kernel log, but for DMA that was stopped" clean_log "$LOG_START" "$DMA_FAULTS"
tap_done
