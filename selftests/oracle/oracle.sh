# SPDX-License-Identifier: GPL-2.0
# Sourced by tests of the oracle: its devices, and how it is called.
# shellcheck shell=bash disable=SC2154	# BDF_* come from lab-run

# v0 and v1 are the ends of a wire, b0 is a disk. Features: VERSION_1 ACCESS_PLATFORM IN_ORDER
# RING_PACKED EVENT_IDX INDIRECT_DESC and STATUS MRG_RXBUF MAC; without IN_ORDER, MQ FLUSH BLK_SIZE SEG_MAX.
oracle_devices() {
	dev_add v0 "$BDF_vf0_0" vhost_vdpa device_features 0xf30018020 &&
		dev_add v1 "$BDF_vf0_1" vhost_vdpa &&
		dev_add b0 "$BDF_blk0" vhost_vdpa device_features 0x730001244
}

# Likewise, v0 and v1 are software (selftests/soft/lib.sh): queues of them stay direct while they
# are logged, and marks are their own.
oracle_soft_devices() {
	soft_add v0 vhost_vdpa device_features 0xf30018020 && soft_add v1 vhost_vdpa &&
		wire v0 v1 && dev_add b0 "$BDF_blk0" vhost_vdpa device_features 0x730001244
}

# oracle OPTION...: status 0, or 1 if memory differs, or 2.
oracle() {
	/build/selftests/oracle/oracle -p "$(vhost_of v1)" "$@" \
		"v0=$(vhost_of v0)" "b0=$(vhost_of b0)"
}
