#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The whole ioctl surface of vhost-vdpa against our devices, net and block, then a storm of kicks.
# lab: --net hub --blk 1 --prop packed=on --prop page-per-vq=on
# limit: 700
# long-kernels: 6.12
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

ioctl=$TOOLS/vhost_vdpa_ioctl
number=$("$ioctl" --list | wc -l)

storm() { "$TOOLS/kick_storm" -d "$(vhost_of v0)" -p "$(vhost_of v1)" "$@"; }

packed=(net_packed vring_base_round_trip_packed ctrl_packed)
# VERSION_1 ACCESS_PLATFORM RING_PACKED CTRL_MAC_ADDR CTRL_VQ STATUS MRG_RXBUF MAC
packed_features=0x700838020

# The debug kernel is slow: net alone, unless there is time.
short() { [ "${LONG-0}" != 1 ] && [[ $(uname -r) = *-debug ]]; }

if short; then
	tap_plan $((number + 5))
else
	tap_plan $((2 * number + ${#packed[@]} + 9))
fi
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
vdpa_setup
tap_check "a VF is a device" dev_add v0 "$BDF_vf0_0" vhost_vdpa
tap_check "so is the one at the other end of the wire" dev_add v1 "$BDF_vf0_1" vhost_vdpa
tap_adopt "net" "$ioctl" -d "$(vhost_of v0)" -p "$(vhost_of v1)" \
	--default-features --require net,suspend,resume,peer,doorbell,ctrl,ctrl_rx,ctrl_vlan
tap_check "a storm of kicks" storm -n 60 -s 20261
if ! short; then
	tap_check "a block function is a device" dev_add b0 "$BDF_blk0" vhost_vdpa
	tap_adopt "blk" "$ioctl" -d "$(vhost_of b0)" --scratch --default-features --require blk
	tap_check "dev del, to make it anew" vdpa dev del v0
	tap_check "with packed rings" \
		dev_add v0 "$BDF_vf0_0" vhost_vdpa device_features $packed_features
	tap_adopt "packed" "$ioctl" -d "$(vhost_of v0)" -p "$(vhost_of v1)" \
		--require packed "${packed[@]}"
	tap_check "dev del" vdpa dev del b0
fi
vdpa dev del v0
vdpa dev del v1
# The client takes memory away from a running device, too.
tap_check "a clean kernel log, but for DMA that was stopped" clean_log "$LOG_START" "$DMA_FAULTS"
tap_done
