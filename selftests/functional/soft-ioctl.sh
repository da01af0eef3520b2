#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The ioctl surface of vhost-vdpa against software devices: straight on their rings, and in shadow.
# lab: --vfs 0
# limit: 500
# long-kernels: 7.2 debug
# shellcheck source=/dev/null
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

ioctl=$TOOLS/vhost_vdpa_ioctl
number=$("$ioctl" --list | wc -l)
packed=(net_packed vring_base_round_trip_packed ctrl_packed)
# VERSION_1 ACCESS_PLATFORM RING_PACKED CTRL_MAC_ADDR CTRL_VQ STATUS MRG_RXBUF MAC
packed_features=0x700838020

storm() { "$TOOLS/kick_storm" -d "$(vhost_of v0)" -p "$(vhost_of v1)" "$@"; }
policy() { put "$2" "/sys/bus/vdpa/devices/$1/vmdev/policy"; }
soft_pair() { soft_add v0 vhost_vdpa "$@" && soft_add v1 vhost_vdpa && wire v0 v1; }
gone() { vdpa dev del v0 && vdpa dev del v1; }

tap_plan $((2 * number + ${#packed[@]} + 9))
# A bridge takes its time with a port that comes up, and frames are lost meanwhile.
tap_check "modules" soft_setup linger_ms=600000
tap_check "two devices at one wire" soft_pair
tap_adopt "direct" "$ioctl" -d "$(vhost_of v0)" -p "$(vhost_of v1)" \
	--default-features --software --require net,suspend,resume,peer,ctrl,ctrl_rx,ctrl_vlan,TSO
tap_check "a storm of kicks" storm -n 60 -s 20263
tap_check "the policy can be shadow" policy v0 shadow
tap_adopt "shadow" "$ioctl" -d "$(vhost_of v0)" -p "$(vhost_of v1)" \
	--default-features --software --require net,suspend,resume,peer,ctrl,ctrl_rx,ctrl_vlan,TSO
tap_check "a storm of kicks in shadow" storm -n 60 -s 20264
tap_check "dev del" gone
tap_check "with packed rings" soft_pair device_features $packed_features
tap_adopt "packed" "$ioctl" -d "$(vhost_of v0)" -p "$(vhost_of v1)" --require packed "${packed[@]}"
tap_check "they go" gone
tap_check "a clean kernel log" clean_log "$LOG_START"
tap_done
