#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An unmodified DPDK application (testpmd on virtio-user) on a VF. DPDK uses one ring size for
# all queues, also for the control queue, of which hardware has 64 entries here. What the others
# cannot have is refused, and nothing hangs but testpmd itself, which waits for its first control
# command for ever.
# DPDK_TREE: where dpdk-dev, librte-net-virtio25 and the like are unpacked, if not in the root.
# lab: --net user
# limit: 700
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

tree=${DPDK_TREE-}
libs=$tree/usr/lib/x86_64-linux-gnu
pmds=$libs/dpdk/pmds-25.0
no_ctrl=0x300018020	# VERSION_1 ACCESS_PLATFORM STATUS MRG_RXBUF MAC
log=/tmp/testpmd.log input=/tmp/testpmd.in

# device [ATTR...]: a new one, whose counters start at 0.
device() {
	[ ! -e /sys/bus/vdpa/devices/vdpa0 ] || vdpa dev del vdpa0 || return
	dev_add vdpa0 "$BDF_vf0_0" vhost_vdpa "$@"
}
# pmd DEVARGS: one port that sends; pid in PMD. Not in tap_check, it goes on in the background.
pmd() {
	local plugin plugins=()

	for plugin in net_virtio mempool_ring; do
		plugins+=(-d "$pmds/librte_$plugin.so.25")
	done
	rm -f $input
	mkfifo $input
	exec 8<>$input
	LD_LIBRARY_PATH=$libs:$pmds "$tree/usr/bin/dpdk-testpmd" "${plugins[@]}" --no-pci --no-huge \
		-m 64 --no-telemetry -l 0-1 --vdev="net_virtio_user0,path=$(vhost_of vdpa0),$1" -- \
		--total-num-mbufs=2048 --no-mlockall -i --auto-start --forward-mode=txonly \
		<$input >$log 2>&1 8>&- &
	PMD=$!
	disown $PMD
}
kicked() {
	local n

	n=$(stat_of vdpa0 "$1" kicks 2>/dev/null)
	[ "${n:-0}" -gt 0 ]
}
# sends QUEUE...: each of its queues was kicked.
sends() {
	local queue

	for queue; do
		wait_for "kicked $queue || ! kill -0 $PMD" 180
		kicked "$queue" || { tail -n 20 $log; return 1; }
	done
}
# leaves: it stops when told, and has sent something.
leaves() {
	printf 'stop\nquit\n' >&8
	wait_for "! kill -0 $PMD 2>/dev/null" 180 && grep -q 'TX-packets: [1-9]' $log &&
		! grep -E 'Failed to destroy queue|SET_STATUS.*failed' $log && return
	tail -n 20 $log
	# Or it would hold the device for ever.
	kill -KILL "$PMD"
	return 1
}
# refused MARK: by vhost_vdpa where it bounds sizes, at VHOST_SET_VRING_NUM; else by us at DRIVER_OK.
refused() {
	wait_for "grep -q 'ioctl 1074310928 failed (Invalid argument)' $log ||
		dmesg_since '$1' | grep -q 'queue 0 (size 512, at most 256) refused'" 180 && return
	tail -n 20 $log
	return 1
}
# The management interface answers while testpmd hangs.
alive() { timeout 10 vdpa dev show vdpa0 && timeout 10 vdpa dev config show vdpa0; }
killed() {
	kill -KILL "$PMD"
	wait_for "! kill -0 $PMD 2>/dev/null" 20
}

if [ ! -x "$tree/usr/bin/dpdk-testpmd" ] || [ ! -e "$pmds/librte_net_virtio.so.25" ]; then
	tap_plan 1
	tap_skip "testpmd on a VF" "no dpdk-testpmd (Debian: dpdk-dev, librte-net-virtio25, librte-mempool-ring25)"
	tap_done
	exit
fi

tap_plan 18
mark=$(dmesg_mark)
vdpa_setup
vf_create "$BDF_pf0" 2
tap_check "a VF for vhost-vdpa" device
pmd queues=1,queue_size=64,cq=0
tap_check "testpmd without control queue sends" sends 1
tap_check "and leaves" leaves
tap_check "a new device" device
pmd queues=1,queue_size=64,cq=1
tap_check "testpmd with control queue sends, and gives commands" sends 1 2
tap_check "and leaves" leaves
tap_check "a new device" device
pmd queues=1,queue_size=256,cq=1
tap_check "256 entries, also on the control queue" sends 1 2
tap_check "no command was refused" logged "$mark" 0 'control command refused|refused: '
tap_check "and leaves" leaves
refusal=$(dmesg_mark)
pmd queues=1,queue_size=512,cq=1
tap_check "512 entries: refused" refused "$refusal"
tap_check "vdpa answers meanwhile" alive
tap_check "testpmd can be killed" killed
# With cq=0 DPDK sets up the device's control queue all the same.
tap_check "a device that has no control queue" device device_features $no_ctrl
pmd queues=1,queue_size=256
tap_check "256 entries there" sends 1
tap_check "and leaves" leaves
tap_check "dev del" vdpa dev del vdpa0
tap_check "a clean kernel log" clean_log "$mark"
tap_done
