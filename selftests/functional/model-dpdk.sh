#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# DPDK's ifc driver on the FPGA SmartNIC (selftests/model), as vDPA devices of a vhost-user backend
# (vhost_ifc), under stock QEMU guests: traffic, and live migration by the log of the hardware.
# The stream's other end is a third function, under virtio_net.
# DPDK_TREE: where librte-vdpa-ifc25 and the like are unpacked, if not in the root.
# lab: --pfs 0 --fpga 3 --net tap
# limit: 500
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154,SC2034,SC2054	# BDF_*, NESTED_*, commas are QEMU's
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/migrate/lib.sh

libs=${DPDK_TREE-}/usr/lib/x86_64-linux-gnu
pmds=$libs/dpdk/pmds-25.0
backend=/build/selftests/model/vhost_ifc
log=/tmp/vhost_ifc.log

if [ ! -x $backend ] || [ ! -e "$pmds/librte_vdpa_ifc.so.25" ]; then
	tap_plan 1
	tap_skip "DPDK's ifc" "no libdpdk-dev, or no librte-vdpa-ifc25"
	tap_done
	exit
fi

# The backend ends with the VM, or when it is told; pid in BACKEND.
vhost_ifc() {
	LD_LIBRARY_PATH=$libs:$pmds $backend -d "$pmds/librte_vdpa_ifc.so.25" --no-huge -m 64 \
		--no-telemetry --iova-mode=va -l 0 --log-level=pmd.vdpa.ifcvf:debug \
		-a "$BDF_fpga0,vdpa=1" -a "$BDF_fpga1,vdpa=1" -- \
		"/tmp/A.sock=$BDF_fpga0" "/tmp/B.sock=$BDF_fpga1" >$log 2>&1 &
	BACKEND=$!
	wait_for "[ -S /tmp/B.sock ] || ! kill -0 $BACKEND" 60
}
ready() {
	kill -0 "$BACKEND" && [ -S /tmp/A.sock ] && [ -S /tmp/B.sock ] && return
	cat $log
	return 1
}
to_vfio() { bind_driver "$1" vfio-pci; }

# guest_args NAME: on the backend's device NAME. Huge pages are few mappings.
guest_args() {
	guest=(-object memory-backend-memfd,id=ram,size=256M,share=on,hugetlb=on,hugetlbsize=2M
		-machine memory-backend=ram
		-chardev "socket,id=c,path=/tmp/$1.sock" -netdev vhost-user,id=n,chardev=c
		-device "virtio-net-pci,netdev=n,mac=$mac,romfile=,disable-legacy=on")
}
pings() {
	local guest

	guest_args A
	NESTED_CMDLINE=vmdev.run=info,ping NESTED_QEMU=("${guest[@]}")
	run_nested_guest && return
	tail -n 20 $log
	return 1
}
# As migrate/lib.sh has it, on another netdev.
qemu() {
	local name=$1 guest

	shift
	guest_args "$name"
	rm -f "/tmp/$name.qmp"
	NESTED_CMDLINE="rdinit=/migrate/guest-init"
	NESTED_QEMU=(-initrd /tmp/initrd -qmp "unix:/tmp/$name.qmp,server=on,wait=off" "${guest[@]}" "$@")
	nested_start "/tmp/$name.log"
	declare -g "PID_$name=$NESTED_PID"
	wait_for "[ -S /tmp/$name.qmp ]" 60
}
# device_said PATTERN: the process that is the device.
device_said() { grep -E "$1" /out/vfio-user.log; }

echo 280 >/proc/sys/vm/nr_hugepages
ulimit -l unlimited
modprobe -a vfio-pci virtio_net
tap_plan 13
tap_check "vfio-pci has one function" to_vfio "$BDF_fpga0"
tap_check "and another" to_vfio "$BDF_fpga1"
vhost_ifc
tap_check "DPDK's ifc takes both" ready
tap_check "a guest pings through it" pings
tap_check "the other end of the wire" net_up "$BDF_fpga2" peer 10.0.2.1
initrd
ip netns exec peer "$bin"/stream 5001 >/tmp/server.log 2>&1 &
qemu A
tap_check "a guest with a stream and a memory worker" works A
incoming B
tap_check "is migrated" migrate A
tap_check "stream and memory go on there" works B
tap_check "the hardware has logged" device_said '^fpga0.sock: has logged [1-9][0-9]* pages to 0x100000000000-0x[0-9a-f]*$'
tap_check "QEMU quits" quit A
tap_check "and the other one" quit B
cp /tmp/*.log /tmp/downtimes /out/ 2>/dev/null
kill $BACKEND
tap_check "the backend ends" wait_for "! kill -0 $BACKEND 2>/dev/null" 20
tap_check "a clean kernel log" clean_log
tap_done
