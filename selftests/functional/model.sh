#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The FPGA SmartNIC (selftests/model) under drivers that are not ours, the kernel's virtio_net and
# ifcvf, and under ours as one more virtio function: frames between two of its functions and to the
# bridge behind its uplink, blocks, ring states, faults.
# lab: --pfs 0 --fpga 2 --fpga-blk 1 --queues 2
# limit: 500
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

a=$BDF_fpga0 b=$BDF_fpga1 disk=$BDF_fpgablk0

# ids BDF DEVICE SUBSYSTEM
ids() {
	local dir=/sys/bus/pci/devices/$1

	[ "$(cat "$dir"/{vendor,device,subsystem_vendor,subsystem_device} | xargs)" = "0x1af4 $2 0x8086 $3" ]
}
# lm BDF OFFSET [VALUE]: a 32-bit register of the LM block.
lm() {
	python3 -c 'import mmap, struct, sys
with open(sys.argv[1], "r+b") as f:
	m = memoryview(mmap.mmap(f.fileno(), 4096)).cast("I")
	at = int(sys.argv[2], 0) // 4
	if len(sys.argv) > 3:
		m[at] = int(sys.argv[3], 0)
	print("0x%x" % m[at])' "/sys/bus/pci/devices/$1/resource4" "${@:2}"
}
# fault BDF BITS [NUMBER]: see enum fpga_fault.
fault() { setpci -s "$1" "e4.l=$(printf %x "${3:-0}")" "e0.l=$(printf %x "$2")"; }

# --- traffic -----------------------------------------------------------------------------
up() { net_up "$a" na 10.0.2.15 && net_up "$b" nb 10.0.2.16 && sleep 1; }
pings() { reach na 10.0.2.16 && reach nb 10.0.2.15 && reach na 10.0.2.2; }
# copies FROM TO ADDR: a file goes from one namespace to the other.
copies() {
	rm -f /tmp/copy
	ip netns exec "$2" timeout 60 python3 -c 'import shutil, socket
s = socket.create_server(("", 5000))
print("listens", flush=True)
with s.accept()[0].makefile("rb") as f, open("/tmp/copy", "wb") as to:
	shutil.copyfileobj(f, to)' >/tmp/copy.log &
	wait_for "grep -q listens /tmp/copy.log" 20
	ip netns exec "$1" timeout 60 python3 -c 'import socket, sys
with socket.create_connection((sys.argv[1], 5000)) as s, open("/tmp/data", "rb") as f:
	s.sendfile(f)' "$3"
	wait $!
	cmp /tmp/data /tmp/copy
}
both_ways() { copies na nb 10.0.2.16 && copies nb na 10.0.2.15; }
iperf() {
	ip netns exec nb iperf3 -s -1 >/dev/null &
	wait_for "ip netns exec nb ss -ltn 2>/dev/null | grep -q :5201" 10 || sleep 1
	ip netns exec na timeout 60 iperf3 -c 10.0.2.16 -n 8M "$@"
}
two_pairs() {
	ip netns exec na ethtool -L eth0 combined 2 || return
	ip netns exec nb ethtool -L eth0 combined 2 || return
	iperf -P 8 >/tmp/iperf.log && return
	tail -n 5 /tmp/iperf.log
	return 1
}
mac_changes() {
	ip -n nb link set eth0 address 52:54:00:77:77:77 && ip -n na neigh flush dev eth0 && reach na 10.0.2.16
}
net_checks() {
	tap_check "$1: pings" pings
	tap_check "$1: a file each way" both_ways
	tap_check "$1: two queue pairs" two_pairs
	tap_check "$1: another address" mac_changes
}

# --- drivers -----------------------------------------------------------------------------
# ifcvf NAME BDF
ifcvf() {
	bind_driver "$2" ifcvf && vdpa dev add name "$1" mgmtdev "pci/$2" && use_bus "$1" virtio_vdpa
}
ifcvf_nets() { ifcvf i0 "$a" && ifcvf i1 "$b" && up; }
ifcvf_blk() { ifcvf i2 "$disk" && wait_for "block_of $disk" 5; }
ours_nets() { dev_add v0 "$a" virtio_vdpa && dev_add v1 "$b" virtio_vdpa && up; }
ours_blk() { dev_add v2 "$disk" virtio_vdpa && wait_for "block_of $disk" 5; }
# gone NAME...: and the namespaces that had their interfaces.
gone() {
	local name

	for name; do vdpa dev del "$name" || return; done
	ip -all netns delete
}

# --- disks -------------------------------------------------------------------------------
verify() {
	fio --name=verify --filename="/dev/$(block_of "$disk")" --rw=randwrite --bs=4k-64k --size=8m \
		--ioengine=libaio --iodepth=16 --direct=1 --verify=crc32c --verify_fatal=1 --randseed=1 \
		--fsync=64 --output-format=terse "$@"
}
serial() { [ "$(cat "/sys/block/$(block_of "$disk")/serial")" = fpga0.2 ]; }

# --- ring state --------------------------------------------------------------------------
# stopped_at BDF OFFSET: both indices of a queue that ran.
stopped_at() {
	local word

	word=$(lm "$1" "$2")
	[ $((word & 0xffff)) -gt 0 ] && [ $((word >> 16)) -gt 0 ] && return
	echo "it is $word"
	return 1
}
# Receive queues fetch ahead, others do not.
fetched_ahead() {
	local rx tx

	rx=$(lm "$a" 0x20) tx=$(lm "$a" 0x24)
	[ $(((rx - (rx >> 16)) & 0xffff)) -gt 0 ] && [ $((tx & 0xffff)) = $((tx >> 16)) ] && return
	echo "receive $rx, transmit $tx"
	return 1
}
reads_back() { [ "$(lm "$a" 0x10 0x12345000)" = 0x12345000 ] && [ "$(lm "$a" 0 1)" = 0x1 ] && [ "$(lm "$a" 8)" = 0x1 ]; }
function_reset() { echo 1 >"/sys/bus/pci/devices/$a/reset" && [ "$(lm "$a" 0x10)" = 0x0 ]; }

# --- faults ------------------------------------------------------------------------------
all_ones() { fault "$a" 0x80 && [ "$(lm "$a" 0)" = 0xffffffff ] && fault "$a" 0 && [ "$(lm "$a" 0)" = 0x0 ]; }
no_log() { fault "$a" 4 && [ "$(lm "$a" 0 1)" = 0x0 ] && fault "$a" 0; }
slow_doorbell() { fault "$a" 0x40 200 && pings && fault "$a" 0 && pings; }

head -c 2M /dev/urandom >/tmp/data
tap_plan 36
mark=$(dmesg_mark)
tap_check "net functions have an N3000's ids" ids "$a" 0x1041 0x001a
tap_check "a block function has a C5000X-PL's" ids "$disk" 0x1042 0x0002
modprobe virtio_net
tap_check "virtio_net drives them" up
net_checks virtio_net
unbind_driver "$a" && unbind_driver "$b"
tap_check "the second receive queue had frames" stopped_at "$b" 0x60
ip -all netns delete
vdpa_setup && load_peers ifcvf
tap_check "ifcvf drives them" ifcvf_nets
net_checks ifcvf
tap_check "and goes" gone i0 i1
unbind_driver "$a" && unbind_driver "$b"
tap_check "its queues left their states" stopped_at "$a" 0x20
tap_check "its second receive queue had frames" stopped_at "$b" 0x60
tap_check "a receive queue fetched ahead" fetched_ahead
tap_check "ifcvf drives the disk" ifcvf_blk
tap_check "its serial number" serial
tap_check "ifcvf: random writes, verified" verify
tap_check "and goes" gone i2
unbind_driver "$disk"
tap_check "the disk's queue left its state" stopped_at "$disk" 0x20
tap_check "registers of the log read back" reads_back
tap_check "a reset of the function clears them" function_reset
tap_check "we drive net functions" ours_nets
net_checks vmdev_pci
tap_check "a slow doorbell" slow_doorbell
tap_check "we are gone" gone v0 v1
unbind_driver "$a"
tap_check "fault: all ones" all_ones
tap_check "fault: the log cannot be switched on" no_log
tap_check "we drive the disk" ours_blk
tap_check "its data is there" verify --verify_only
tap_check "a clean kernel log" clean_log "$mark"
tap_done
