#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# debugfs: the text view of rings, on every path and in both formats, and while all of it comes and goes.
# lab: --vfs 0
# limit: 300
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

ioctl=$TOOLS/vhost_vdpa_ioctl
# The debug kernel is slow.
rounds=3
[[ $(uname -r) != *-debug ]] || rounds=1
file=/sys/kernel/debug/vmdev/rings
# rings DEV: what the file says of it
rings() { awk -v dev="$1:" '/^[^ ]+: (off|running|suspended|broken), features/ { on = $1 == dev } on' $file; }
no_rings() { [ -z "$(rings "$1")" ]; }
# shows DEV QUEUE PATTERN...: the part of a queue has a line of each.
shows() {
	local text pattern

	text=$(rings "$1" | sed -n "/^queue $2:/,/^queue $(($2 + 1)):/p" | sed "/^queue $(($2 + 1)):/d")
	for pattern in "${@:3}"; do
		grep -qE -- "$pattern" <<<"$text" && continue
		echo "nothing of '$pattern' in:"
		echo "$text"
		return 1
	done
}
policy() { put "$2" "/sys/bus/vdpa/devices/$1/vmdev/policy"; }
root_only() {
	[ "$(stat -c '%a %U' $file)" = '400 root' ] && [ "$(grep -c ', features' $file)" = 1 ]
}

# --- what it shows -----------------------------------------------------------------------
off() {
	rings s0 | head -n 1 | grep -qx 's0: off, features 0x0, status 0x0, 3 queues' &&
		shows s0 0 '^queue 0: off, not enabled, split, size [0-9]+, asid 0, kicks 0, interrupts 0$' 'desc 0x0 driver 0x0 device 0x0' 'has no ring'
}
number='[0-9]+'
descriptor='^      \[[0-9]+\] addr 0x[0-9a-f]+ len [1-9][0-9]* flags'
indices="avail idx $number flags 0x[01], used idx $number flags 0x[01], $number not used yet\$"
# What is posted to receive, and not used: the first few, and how many more.
direct() {
	rings s0 | head -n 1 | grep -qE '^s0: running, features 0x[0-9a-f]+, status 0xf, ' &&
		shows s0 0 '^queue 0: direct, split, size 128, asid 0, kicks [1-9]' '    desc 0x[0-9a-f]+ driver 0x[0-9a-f]+ device 0x[0-9a-f]+$' \
			"$indices" 'buffer 0: entry 0, head [0-9]+' "$descriptor 0x2" "and $number more" &&
		shows s0 1 '^queue 1: direct' "$indices"
}
shadow() {
	shows s0 0 '^queue 0: shadow' '    shadow:' "hardware's ring: size $number, offers $number next, takes $number back next, hardware has [1-9][0-9]*, $number free, used idx $number\$" \
		"core: takes $number next, gives $number back next, has [1-9]" "$indices" "$descriptor 0x2"
}
packed_events() { shows s0 "$1" "driver's event suppression: flags 0x0, entry 0, wrap 0" "device's event suppression: flags "; }
packed_descriptor='^      \[0\] addr 0x[0-9a-f]+ len [1-9][0-9]* id [0-9]+ flags 0x[0-9a-f]+, avail [01] used [01]$'
packed_direct() { shows s0 0 '^queue 0: direct, packed' 'hardware began at entry 0' "$packed_descriptor" && packed_events 0; }
packed_shadow() {
	shows s0 0 '^queue 0: shadow, packed' "hardware's ring: size .*, wraps [01] and [01]\$" "core: takes .*, wraps [01] and [01]\$" "$packed_descriptor" &&
		packed_events 0
}
# Its rings stay, and where each goes on is known.
suspended() {
	"$TOOLS/steps" -d "$(vhost_of s0)" up send=3 suspend sleep=4000 close >/tmp/steps.log 2>&1 &
	wait_for 'grep -q "suspend=ok" /tmp/steps.log' 20 && rings s0 | head -n 1 | grep -q '^s0: suspended, ' &&
		shows s0 1 '^queue 1: off' 'avail idx 3 flags 0x[01], used idx 3 ' ', 0 not used yet$'
	wait
}
# A driver of the host: its control queue is the core's, the others it knows nothing of.
host() {
	wait_for "[ -n \"\$(driver_netdev s0)\" ]" 20 && ip link set "$(driver_netdev s0)" up promisc on &&
		shows s0 0 '^queue 0: direct' 'the ring cannot be read: the core does not know the memory of this driver of the host' &&
		shows s0 2 '^queue 2: software' 'core: takes [1-9]' 'avail idx [1-9]'
}
blk_rings() { shows b0 0 '^queue 0: direct' 'avail idx'; }

# --- while it changes --------------------------------------------------------------------
# Whatever a driver makes of its rings, and while they come and go. What runs beside it ends its round:
# who was killed would leave a command behind.
busy() {
	local pids=() i

	rm -f /tmp/end
	(until [ -e /tmp/end ]; do sleep 0.01; cat $file; done) >/dev/null 2>&1 &
	pids+=($!)
	(until [ -e /tmp/end ]; do sleep 0.2; policy s0 shadow; sleep 0.2; policy s0 auto; done) >/dev/null 2>&1 &
	pids+=($!)
	(until [ -e /tmp/end ]; do sleep 0.05; vdpa dev add name r0 mgmtdev vmdev_soft max_vqp 1; vdpa dev del r0; done) >/dev/null 2>&1 &
	pids+=($!)
	for ((i = 0; i < rounds; i++)); do
		"$ioctl" -d "$(vhost_of s0)" --scratch --software ctrl_broken_index ctrl_broken_chain suspend_resume_many \
			bring_up_many map_survives_reset net_tx_completes_each_once || break
		"$ioctl" -d "$(vhost_of b0)" --scratch --software blk_broken_ring blk_broken_request || break
	done
	: >/tmp/end
	wait "${pids[@]}"
	[ $i = $rounds ]
}
# Somebody who is reading it does not keep the device: bash reads a byte at a time. He sees the
# rest of that one's text, and of the others.
held_open() {
	local rest

	exec 5<$file || return
	read -r -n 1 <&5
	timeout 20 vdpa dev del s0 || return
	rest=$(cat <&5)
	exec 5<&-
	[[ $rest = '0: '* ]] && no_rings s0
}
# Several are in it, each once, whole.
several() {
	local devs

	devs=$(grep -o '^[a-z0-9]*: [a-z]*, features' $file | cut -d: -f1 | xargs)
	echo "$devs"
	[ "$devs" = 'b0 s0' ] && [ "$(rings s0 | grep -c '^queue ')" = "$(rings s0 | sed -n '1s/.* \([0-9]*\) queues$/\1/p')" ]
}

# view NAME OPTION...: what the function NAME finds while a client runs s0.
view() {
	hold /tmp/hold s0 "${@:2}" && "$1"
	local status=$?
	let_go
	return $status
}

# Nor does debugfs complain.
taken() {
	local mark

	mark=$(dmesg_mark)
	not vdpa dev add name s0 mgmtdev vmdev_soft && not vdpa dev add name s0 mgmtdev vmdev_soft_blk &&
		! dmesg_since "$mark" | grep debugfs && [ -n "$(rings s0)" ]
}

tap_plan 21
tap_check "modules" soft_setup
tap_check "a device" soft_add s0 vhost_vdpa max_vqp 1
tap_check "root may read its rings" root_only
tap_check "another of that name is refused, and takes nothing away" taken
tap_check "off" off
tap_check "direct" view direct -t
tap_check "suspended" suspended
tap_check "policy shadow" policy s0 shadow
tap_check "shadow" view shadow -t
tap_check "it goes" eval "vdpa dev del s0 && no_rings s0"
# VERSION_1 ACCESS_PLATFORM RING_PACKED CTRL_VQ STATUS MRG_RXBUF MAC
tap_check "one with packed rings" soft_add s0 vhost_vdpa max_vqp 1 device_features 0x700038020
tap_check "packed, direct" view packed_direct -kt
tap_check "packed, in shadow" eval "policy s0 shadow && view packed_shadow -kt && policy s0 auto"
tap_check "for a driver of the host" eval "vdpa dev del s0 && soft_add s0 virtio_vdpa max_vqp 1 && host && vdpa dev del s0"
tap_check "a disk" eval "vdpa dev add name b0 mgmtdev vmdev_soft_blk && use_bus b0 vhost_vdpa && soft_add s0 vhost_vdpa"
tap_check "a disk's" eval "hold /tmp/hold b0 -r && blk_rings; let_go"
tap_check "all devices are in the file" several
tap_check "they are read while all changes" busy
tap_check "a reader does not keep a device" held_open
tap_check "they go" eval "vdpa dev del b0 && modprobe -r vmdev_soft vmdev_pci vmdev && [ ! -e /sys/kernel/debug/vmdev ]"
tap_check "a clean kernel log" clean_log
tap_done
