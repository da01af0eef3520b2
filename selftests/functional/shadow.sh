#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Queues in shadow: what a client sees is what it sees of direct ones, and suspend, resume and ring
# states work on hardware that has none of them.
# lab: --net hub --blk 1 --prop packed=on --prop page-per-vq=on
# limit: 700
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

ioctl=$TOOLS/vhost_vdpa_ioctl
number=$("$ioctl" --list | wc -l)
packed=(net_packed vring_base_round_trip_packed ctrl_packed)
# VERSION_1 ACCESS_PLATFORM RING_PACKED CTRL_MAC_ADDR CTRL_VQ STATUS MRG_RXBUF MAC
packed_features=0x700838020

storm() { "$TOOLS/kick_storm" -d "$(vhost_of v0)" -p "$(vhost_of v1)" "$@"; }
policy() { put "$2" "/sys/bus/vdpa/devices/$1/vmdev/policy"; }
is_policy() { [ "$(cat "/sys/bus/vdpa/devices/$1/vmdev/policy")" = "$2" ]; }
nonsense() { ! put sideways /sys/bus/vdpa/devices/v0/vmdev/policy 2>/dev/null && is_policy v0 auto; }
paths() { [ "$(cat "/sys/bus/vdpa/devices/$1/vmdev/paths")" = "$2" ]; }

tap_plan $((number + ${#packed[@]} + 13))
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
vdpa_setup
tap_check "a VF is a device" dev_add v0 "$BDF_vf0_0" vhost_vdpa
tap_check "so is the one at the other end of the wire" dev_add v1 "$BDF_vf0_1" vhost_vdpa
tap_check "so is a block function" dev_add b0 "$BDF_blk0" vhost_vdpa
tap_check "the policy is auto" is_policy v0 auto
tap_check "no other word is one" nonsense
tap_check "queues that do not run are on no path" paths v0 "off off off"
tap_check "the policy can be shadow" policy v0 shadow
policy v1 shadow
tap_adopt "net" "$ioctl" -d "$(vhost_of v0)" -p "$(vhost_of v1)" \
	--default-features --require net,suspend,resume,peer,ctrl,ctrl_rx,ctrl_vlan
tap_check "a storm of kicks" storm -n 60 -s 20262
tap_check "dev del, to make it anew" vdpa dev del v0
tap_check "with packed rings" dev_add v0 "$BDF_vf0_0" vhost_vdpa device_features $packed_features
policy v0 shadow
tap_adopt "packed" "$ioctl" -d "$(vhost_of v0)" -p "$(vhost_of v1)" --require packed "${packed[@]}"
vdpa dev del v0
vdpa dev del v1
tap_check "dev del" vdpa dev del b0
# The client takes memory away from a running device, too.
tap_check "a clean kernel log, but for DMA that was stopped" clean_log "$LOG_START" "$DMA_FAULTS"
tap_done
