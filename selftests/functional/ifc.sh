#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Functions of the Intel IFC layout (selftests/model) under ours: their live-migration block as STATE
# and LOG. Queues are suspended, resumed and logged under traffic and stay direct; no write is missed; and
# a block that does not do what it is told is found out, with a line.
# lab: --pfs 0 --fpga 2 --fpga-blk 1 --queues 2 --blk 1 --blk-prop packed=on --blk-prop num-queues=3
# limit: 500
# long-limit: 1800
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/switch/lib.sh
. /vmdev/selftests/oracle/oracle.sh

bin=/build/selftests/switch
a=$BDF_fpga0 b=$BDF_fpga1 disk=$BDF_fpgablk0
runs=100000 seconds=40 suspends=60
[ "${LONG-0}" != 1 ] || runs=1000 seconds=0 suspends=1000
# It is slow.
[[ $(uname -r) != *-debug ]] || runs=100 suspends=60

# fault BDF BITS [NUMBER]: see enum fpga_fault (selftests/model/model.h).
fault() { setpci -s "$1" "e4.l=$(printf %x "${3:-0}")" "e0.l=$(printf %x "$2")"; }
with_fault() {
	local status=0

	fault "$a" "$1" "$2"
	"${@:3}" || status=$?
	fault "$a" 0
	return $status
}

# VERSION_1 ACCESS_PLATFORM EVENT_IDX INDIRECT_DESC STATUS MRG_RXBUF MAC; b0 as in oracle.sh
net=0x330018020
net_devices() {
	dev_add v0 "$a" vhost_vdpa device_features $net && dev_add v1 "$b" vhost_vdpa &&
		dev_add b0 "$BDF_blk0" vhost_vdpa device_features 0x730001244
}
caps() { /build/tools/vmdev parent show "pci/$1" | grep 'capabilities.*state.*log'; }
not_packed() { ! vdpa mgmtdev show "pci/$1" | grep -i packed; }
packed_refused() { not vdpa dev add name p0 mgmtdev "pci/$a" device_features 0x700018020; }

random() {
	local status=0

	oracle -m 64 -s "${SEED:-20260301}" "$@" >/tmp/oracle || status=$?
	tail -n 20 /tmp/oracle
	return $status
}
differs() { random -l -r 600; [ $? = 1 ]; }
says() { dmesg_since "$mark" | grep -E "$1"; }

# lied WHAT BITS NUMBER PATTERN: with that fault SUSPEND fails, the device needs a reset, and one line says
# why; without it it works again.
lied() {
	local said

	fault "$a" "$2" "$3"
	mark=$(dmesg_mark)
	said=$("$TOOLS/steps" -d "$(vhost_of v0)" up send=4 suspend 2>&1)
	fault "$a" 0
	echo "$said"
	[[ $said != *suspend=ok* ]] && says "$4"
}
works() {
	local said

	said=$("$TOOLS/steps" -d "$(vhost_of v0)" up send=4 suspend resume send=4 2>&1)
	echo "$said"
	[ "${said% }" = "up=ok send=ok suspend=ok resume=ok send=ok" ]
}

# with_rings OPTION VALUE WORD...: these steps, of the rings that steps makes with that option; v1 sends all
# the time. No line, or with the word SAYS, and a pattern, one line that has it.
with_rings() {
	local pattern='' n=0 words=("${@:3}")

	[ "$3" != SAYS ] || { pattern=$4 n=1 words=("${@:5}"); }
	mark=$(dmesg_mark)
	walked "$TOOLS/steps" -d "$(vhost_of v0)" -p "$(vhost_of v1)" "$1" "$2" -- "${words[@]}" || return
	logged "$mark" $n "vdpa v0: .*$pattern"
}
policy_of_v0() { echo "$1" >/sys/bus/vdpa/devices/v0/vmdev/policy; }
# The core makes rings of its own for the hardware, which are aligned.
misaligned() {
	with_rings -o 16 up=ok path:shadow=ok recv:4=ok send:4=ok suspend=ok resume=ok path:shadow=ok recv:4=ok \
		send:4=ok
}
misaligned_moves() {
	with_rings -o 2048 SAYS 'policy is direct, and hardware wants descriptors aligned to 4096 bytes' up=ok recv:4=ok \
		policy:direct=EOPNOTSUPP path:shadow=ok recv:4=ok send:4=ok policy:shadow=ok policy:auto=ok path:shadow=ok
}
misaligned_direct() {
	local status=0

	policy_of_v0 direct || return
	with_rings -o 16 SAYS 'queue 0 cannot run: policy is direct, and hardware wants descriptors aligned to 4096 bytes' \
		up=EPROTO || status=1
	with_rings -o 4096 up=ok path:direct=ok recv:4=ok || status=1
	policy_of_v0 auto && return $status
}

# All ones while it runs: everybody is told that it is gone.
ones() {
	mark=$(dmesg_mark)
	fault "$a" 0x80
	"$TOOLS/steps" -d "$(vhost_of v0)" up send=4 suspend
	fault "$a" 0
	says 'hardware is gone'
}

tap_plan 35
vdpa_setup && modprobe vmdev_ctl
tap_check "net functions, and a disk to compare with" net_devices
tap_check "they have state and log" eval "caps $a && caps $b"
vdpa mgmtdev show "pci/$a" | sed 's/^/# /'
tap_check "packed rings are not offered" not_packed "$a"
tap_check "nor to be had" packed_refused
tap_check "it is suspended and resumed" works
tap_check "rings of 64 entries are direct" with_rings -n 64 up=ok path:direct=ok recv:4=ok send:4=ok suspend=ok \
	resume=ok recv:4=ok
tap_check "smaller ones are refused" with_rings -n 32 \
	SAYS "queue 0 \(size 32, .* refused: ring is smaller than the hardware's smallest" up=EPROTO
tap_check "rings that are not page-aligned run in shadow" misaligned
tap_check "and stay there, with a line" misaligned_moves
tap_check "under policy direct they are refused" misaligned_direct
tap_check "no recycled buffer is lost" oracle -m 64 -l -c split
tap_check "memory is the same after each migration, direct" random -l -r $runs -t $seconds
grep '^#' /tmp/oracle
tap_untouched "logged, and the core has nothing to do with a packet" untouched oracle -m 64 -l -c split
mark=$(dmesg_mark)
tap_check "no state was ever wrong" not says 'stopped'

tap_check "a log that loses one bit in 32: memory differs" with_fault 1 32 differs
mark=$(dmesg_mark)
tap_check "a log that cannot be switched on: shadow, and memory is the same" with_fault 4 0 random -r 40
tap_check "one line says so" says 'cannot be switched on: its registers'
tap_untouched "in shadow it has" with_fault 4 0 touched oracle -m 64 -c split
tap_check "and one that queues run in shadow" says 'v0: hardware does not log what it writes'
mark=$(dmesg_mark)
tap_check "a log that is deaf: memory is the same" with_fault 2 0 random -l -r 49
tap_check "it is found out" says 'v0: hardware wrote to buffers, and logged nothing'
tap_check "and believed when it logs" random -l -r 20

tap_check "memory that is mapped too high for the bitmap" /build/selftests/dirty/dirty_maps v0 "$(vhost_of v0)"

tap_check "a wrong state" lied wrong 0x10 3 'hardware says that it stopped at'
tap_check "works again" works
tap_check "a queue that does not stop" lied stuck 0x100 0 'queue [0-9]+ does not stop'
tap_check "works again" works
tap_check "all ones" ones
tap_check "they go" eval "vdpa dev del v0; vdpa dev del v1 && vdpa dev del b0"

tap_check "a disk of it" dev_add d0 "$disk" vhost_vdpa
tap_check "it has state and log" caps "$disk"
tap_check "it is suspended under writes" "$bin/writes" $suspends "$(vhost_of d0)"
tap_check "and its queues change paths" "$bin/writes" -m d0 $suspends "$(vhost_of d0)"
tap_check "it goes" vdpa dev del d0
tap_check "a clean kernel log" clean_log
tap_done
