#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A disk that stands still: what has to wait for its requests gives up with a reason, and all is as it
# was; once it goes on nothing was lost, and what was asked for can be had.
# lab: --pfs 0 --blk 1 --blk-prop page-per-vq=on
# limit: 900
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

vmdev=/build/tools/vmdev
log=/tmp/writes.log

# throttle N: so many requests a second of the VM's own QEMU, 0 for any number.
throttle() {
	vm_qmp "{\"execute\":\"block_set_io_throttle\",\"arguments\":{\"device\":\"d-blk0\",\"iops\":$1,
		\"bps\":0,\"bps_rd\":0,\"bps_wr\":0,\"iops_rd\":0,\"iops_wr\":0}}" | tee /tmp/throttle &&
		! grep -q '"error"' /tmp/throttle
}
# disk_writes: what the VM's own QEMU counts.
disk_writes() {
	vm_qmp '{"execute":"query-blockstats"}' | tail -n 1 | python3 -c 'import json, sys
for disk in json.load(sys.stdin)["return"]:
	if disk.get("device") == "d-blk0":
		print(disk["stats"]["wr_operations"])'
}
# each_once: it did as many as were asked for, and none twice.
each_once() {
	local n said

	n=$(disk_writes)
	n=$((${n:-0} - ${before:-0}))
	said=$(sed -n 's/^WRITES //p' $log)
	echo "$said were asked for, $n done"
	[ "$said" = "$n" ]
}
path_is() { grep "^$1" /sys/bus/vdpa/devices/b0/vmdev/paths; }
direct() { $vmdev path set b0 direct; }
# writes [OPTION...]
writes() {
	before=$(disk_writes)
	: >$log
	/build/selftests/switch/writes "$@" -w /tmp/enough "$(vhost_of b0)" >$log 2>&1 &
	WRITER=$!
	wait_for "grep -q WRITING $log || ! kill -0 $WRITER" 30
}
# refused: and in so many words.
refused() {
	local said

	said=$($vmdev path set b0 shadow 2>&1) && return 1
	echo "$said"
	[[ $said == *"requests under way did not finish, try again"* ]]
}
refused_in_sysfs() {
	! (echo shadow >/sys/bus/vdpa/devices/b0/vmdev/policy) 2>/tmp/sysfs && cat /tmp/sysfs &&
		grep 'busy' /tmp/sysfs
}
logged_some() { dmesg_since "$mark" | grep -E "cannot be stopped now: .*$1"; }
# suspends RESULT: the writer tries it, once.
suspends() {
	local before

	before=$(grep -c SUSPEND $log)
	touch /tmp/enough.suspend && wait_for "[ \$(grep -c SUSPEND $log) -gt $before ]" 60
	cat $log
	tail -n 1 $log | grep -x "SUSPEND $1"
}
# moves PATH: writes go on meanwhile, and one may be under way that is slow.
moves() {
	wait_for "timeout 60 $vmdev path set b0 $1" 60 && path_is "$1"
}
# under_load: one that begins anew each time, as only then are its queues direct.
under_load() {
	local n

	for n in 1 2 3 4 5; do
		rm -f /tmp/enough
		$vmdev path set b0 direct || return
		writes
		path_is direct && moves shadow && sleep 0.5 && touch /tmp/enough && wait "$WRITER" &&
			each_once && continue
		kill "$WRITER" 2>/dev/null
		echo "round $n"
		cat $log
		return 1
	done
}
# blind OPTION...: who cannot be told from hardware that takes long. It may be refused, and goes on.
blind() {
	rm -f /tmp/enough
	$vmdev path set b0 direct || return
	writes "$@"
	path_is direct || return
	$vmdev path set b0 shadow && echo "it moved"
	sleep 0.5
	touch /tmp/enough
	wait "$WRITER" && each_once
}

plan=18
[ "${LONG-0}" != 1 ] || plan=20
tap_plan $plan
mark=$(dmesg_mark)
vdpa_setup && modprobe vmdev_ctl
tap_check "a disk for vhost-vdpa" dev_add b0 "$BDF_blk0" vhost_vdpa
tap_check "whose queues are to be direct" direct
writes
tap_check "it is written to" grep WRITING $log
tap_check "directly" path_is direct
tap_check "it comes to stand still" throttle 1
# Some are under way then.
sleep 2
tap_check "its queues cannot change their path" refused
tap_check "the log says why" logged "$mark" 1 "b0: cannot be stopped now: hardware does not finish its requests"
tap_check "nor by sysfs" refused_in_sysfs
tap_check "it cannot be suspended" suspends "Device or resource busy"
tap_check "all is as it was" path_is direct
tap_check "it goes on" throttle 0
tap_check "its queues change their path" moves shadow
tap_check "it can be suspended, and resumed" suspends ok
touch /tmp/enough
wait "$WRITER"
tap_check "nothing was lost" grep WRITES $log
tap_check "nothing was done twice" each_once
tap_check "queues of disks that are written to change their path" under_load
tap_check "without VIRTIO_RING_F_EVENT_IDX they move or stay, unharmed" blind -n
# A writer that stands still just as long as it is looked at, and no longer, can be lost: in a long run only.
if [ "${LONG-0}" = 1 ]; then
	tap_check "likewise with a doorbell that is theirs" blind -d
	tap_check "the log says that it is" logged_some "by itself"
fi
tap_check "a clean kernel log" clean_log "$mark"
tap_done
