#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Memory that is copied by the dirty log, while devices write it in every way, is the same in the end.
# lab: --net hub --blk 1 --blk-prop packed=on --blk-prop num-queues=3 --prop packed=on --prop page-per-vq=on
# limit: 400
# long-limit: 1800
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

# VERSION_1 ACCESS_PLATFORM RING_PACKED EVENT_IDX INDIRECT_DESC; STATUS MRG_RXBUF MAC
net_features=0x730018020
# MQ FLUSH BLK_SIZE SEG_MAX
blk_features=0x730001244
runs=100000 seconds=60
[[ $(uname -r) != *debug* ]] || seconds=90
[ "${LONG-0}" != 1 ] || runs=1000 seconds=0

oracle() {
	/build/selftests/oracle/oracle -p "$(vhost_of v1)" "$@" \
		"v0=$(vhost_of v0)" "b0=$(vhost_of b0)"
}
random() {
	local status=0

	oracle -s "${SEED:-20260301}" -r $runs -t $seconds "$@" >/out/oracle || status=$?
	tail -n 40 /out/oracle
	return $status
}

tap_plan 8
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
vdpa_setup
tap_check "a VF is a device" dev_add v0 "$BDF_vf0_0" vhost_vdpa device_features $net_features
tap_check "so is the one at the other end of the wire" dev_add v1 "$BDF_vf0_1" vhost_vdpa
tap_check "so is a disk" dev_add b0 "$BDF_blk0" vhost_vdpa device_features $blk_features
tap_check "no recycled buffer is lost (cloud-hypervisor PR 7743), split" oracle -c split
tap_check "no recycled buffer is lost (cloud-hypervisor PR 7743), packed" oracle -c packed
tap_check "memory is the same after each migration" random "$@"
grep '^#' /out/oracle
tap_check "a clean kernel log" clean_log
tap_done
