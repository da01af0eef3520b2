#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A virtio-blk function, QEMU's or an FPGA's, as a vDPA device: through the host's virtio-blk, then
# in a stock QEMU guest, then through the host's again.
# lab: --pfs 0 --blk 1
# long-lab: --pfs 0 --fpga-blk 1
# limit: 700
# long-kernels: 6.12 debug
# shellcheck source=/dev/null disable=SC2154,SC2034	# BDF_*, NESTED_*: to and from vm-lib.sh
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

blk=${BDF_blk0-$BDF_fpgablk0} serial=blk0
[ -n "${BDF_blk0-}" ] || serial=fpga0.0
jobs=4
capacity=$((64 << 20))

# disk: the block device below the function.
disk() { basename "$(echo /sys/bus/pci/devices/"$blk"/virtio*/block/*)"; }
attach() { dev_add blk0 "$blk" virtio_vdpa && wait_for "[ -b \"/dev/\$(disk)\" ]" 5; }
is_whole() { [ "$(blockdev --getsize64 "/dev/$(disk)")" = "$capacity" ]; }
has_serial() { [ "$(cat "/sys/block/$(disk)/serial")" = $serial ]; }
is_write_back() { grep -x 'write back' "/sys/block/$(disk)/queue/write_cache"; }

# verify OPTION...: jobs side by side above the first 8 MiB, which are the nested guest's;
# their data carries its own checksums.
verify() {
	fio --name=verify --filename="/dev/$(disk)" --rw=randwrite --bs=4k-64k --offset=8m \
		--offset_increment=8m --size=4m --numjobs=$jobs --ioengine=libaio --iodepth=16 \
		--direct=1 --verify=crc32c --verify_fatal=1 --randseed=1 --fsync=64 \
		--group_reporting --output-format=terse "$@"
}
read_again() { verify --verify_only; }
# The same bytes must be found whichever way the disk is reached.
checksum() { dd if="/dev/$(disk)" bs=1M skip=8 iflag=direct status=none | sha256sum; }
same_data() { [ "$(checksum)" = "$(cat /tmp/sum)" ]; }

# Field 16 of stat counts flushes.
flushes() { awk '{print $16}' "/sys/block/$(disk)/stat"; }
flush() {
	local before

	before=$(flushes)
	dd if=/dev/zero of="/dev/$(disk)" bs=4k count=1 conv=fsync status=none &&
		[ "$(flushes)" -gt "$before" ]
}
# A request that the device has to split: more segments than one page of them.
large_io() {
	fio --name=large --filename="/dev/$(disk)" --rw=write --bs=1m --size=4m --direct=1 \
		--ioengine=libaio --iodepth=4 --verify=crc32c --verify_fatal=1 --output-format=terse
}
# An FPGA's cannot.
discard() {
	if [ -n "${BDF_blk0-}" ]; then
		blkdiscard -o 0 -l 1M "/dev/$(disk)"
	else
		[ "$(cat "/sys/block/$(disk)/queue/discard_max_bytes")" = 0 ]
	fi
}

# --- a guest ----------------------------------------------------------------------------
to_guest() { use_bus blk0 vhost_vdpa && wait_for "[ -c \"\$(vhost_of blk0)\" ]" 5; }
guest() {
	NESTED_CMDLINE=vmdev.run=info,blk NESTED_LIMIT=240
	NESTED_QEMU=(-device "vhost-vdpa-device-pci,vhostdev=$(vhost_of blk0)")
	run_nested_guest >/tmp/nested.log 2>&1
	cat /tmp/nested.log
	grep -q 'NESTED: blk ok' /tmp/nested.log
}
no_complaint() { ! grep -Ei '(ring restore|vhost|vdpa).*(fail|error)' /tmp/nested.log; }
from_guest() { use_bus blk0 virtio_vdpa && wait_for "[ -b \"/dev/\$(disk)\" ]" 5; }

tap_plan 18
mark=$(dmesg_mark)
vdpa_setup
tap_check "a block function as a vDPA device, through virtio_vdpa" attach
tap_check "its size" is_whole
tap_check "its serial number" has_serial
tap_check "its cache is write back" is_write_back
tap_check "random writes of $jobs jobs, verified" verify
tap_check "large requests, verified" large_io
tap_check "a flush reaches the device" flush
tap_check "discard" discard
tap_check "the data is there when read once more" read_again
checksum >/tmp/sum
tap_check "bound to vhost_vdpa" to_guest
tap_check "a stock QEMU guest writes and reads it back" guest
tap_check "QEMU has no complaint" no_complaint
tap_check "bound to virtio_vdpa again" from_guest
tap_check "what the guest did not touch is as it was" same_data
tap_check "checksums of the data hold" read_again
tap_check "writes go on, verified" verify
tap_check "dev del" vdpa dev del blk0
tap_check "a clean kernel log" clean_log "$mark"
tap_done
