#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Interrupts without work, again and again: the vector is masked, software looks by itself, it is told,
# and tried again. A load with work is none, whatever the rate.
# lab: --pfs 0 --hostile
# limit: 500
# long-kernels: debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/irq_probe/lib.sh

rate=/sys/module/vmdev_irq/parameters/storm_rate
log=/tmp/hold.log
declare -A number=()
while read -r n name; do number[$name]=$n; done < <(/build/selftests/hostile/hostile --list)
lie() { [ "$(/tmp/steps -f "$bdf" lie="${number[$1]}/0")" = "lie=ok " ]; }
ask() { put "$1" "/sys/bus/pci/devices/$bdf/vmdev/vectors"; }

polled() { awk -v bdf="$bdf" '$1 == bdf && $2 == "vector" && $8 == 1 { print $3 }' "$probe" | xargs; }
no_storm() { logged "$1" 0 "interrupt storm"; }
# stormed LIE USE QUEUE NAME: it is masked, told of, and after it ended it comes again. Emulation has
# no thousands of interrupts for a frame: meanwhile BUSY, who makes the traffic, is stopped.
stormed() {
	local mark told before

	mark=$(dmesg_mark) told=$(storms)
	kill -STOP "$BUSY"
	lie "$1"
	wait_for "dmesg_since $mark | grep -q \"$bdf: interrupt storm: vector .* $4:$bdf\"" 90 ||
		{ cat "$probe"; return 1; }
	wait_for "[ \"\$(vector_of $2 $3 polled)\" = 1 ]" 60 || { echo "not polled"; cat "$probe"; return 1; }
	if [ "$(vector_of "$2" "$3" storms)" = 0 ] || [ "$(storms)" -le "$told" ]; then
		cat "$probe"
		return 1
	fi
	lie honest
	kill -CONT "$BUSY"
	wait_for "[ -z \"\$(polled)\" ]" 80 || { echo "not tried again"; cat "$probe"; return 1; }
	[ "$2" != config ] || return 0
	before=$(vector_of "$2" "$3" count)
	wait_for "[ \"\$(vector_of $2 $3 count)\" -gt $before ]" 20 || { echo "comes no more"; cat "$probe"; return 1; }
}
# gone: nobody runs it.
gone() { ! grep "$bdf" /proc/interrupts; }
# masked: a storm that is not over.
masked() {
	kill -STOP "$BUSY"
	lie storm_vqs
	wait_for "[ -n \"\$(polled)\" ]" 90
	local status=$?
	kill -CONT "$BUSY"
	return $status
}
unmasked() { [ -z "$(polled)" ] && gone && lie honest; }
# comes: interrupts of queue 1, many.
comes() {
	local before

	before=$(vector_of queue 1 count)
	wait_for "[ \"\$(vector_of queue 1 count)\" -gt $((before + 20)) ]" 20
}
# traffic_of SECONDS: interrupts that have work, at several times the rate that is allowed without.
traffic_of() {
	local before n

	before=$(vector_of queue 1 count)
	sleep "$1"
	n=$(($(vector_of queue 1 count) - before))
	echo "$n interrupts in $1 s"
	[ $n -gt $((3 * 20 * $1)) ]
}

cp "$TOOLS/steps" /tmp
unbind_driver "$BDF_hostile0"
unbind_driver "$BDF_hostile1"
vdpa_setup || exit
bdf=$BDF_hostile0
tap_plan 23
modprobe vmdev_irq_probe
tap_check "the honest function" dev_add v0 "$bdf" vhost_vdpa
tap_check "no more than 10000 a second without work, unless somebody says so" [ "$(cat $rate)" = 10000 ]
echo 20 >$rate
hold $log v0 -t
BUSY=$HOLDER
mark=$(dmesg_mark)
tap_check "many more with work" traffic_of 20
tap_check "are no storm" no_storm "$mark"
echo 100 >$rate
tap_check "a queue's own vector" stormed storm_vqs queue 1 vmdev-vq1
tap_check "it was noticed that there was no work" [ "$(vector_of queue 1 spurious)" -gt 1000 ]
tap_check "its driver goes while it is masked" masked
let_go
tap_check "nothing of it is left" unmasked
hold $log v0 -t
BUSY=$HOLDER
tap_check "the next driver has interrupts" comes
tap_check "config's" stormed storm_config config -1 vmdev-config
let_go

echo shadow >/sys/bus/vdpa/devices/v0/vmdev/policy
hold $log v0 -t
BUSY=$HOLDER
mark=$(dmesg_mark)
sleep 5
tap_check "shadow queues have no storm" no_storm "$mark"
tap_check "their vector" stormed storm_vqs shadow -1 vmdev-shadow
let_go
echo auto >/sys/bus/vdpa/devices/v0/vmdev/policy

tap_check "queues share a vector" ask queues-shared
hold $log v0 -t
BUSY=$HOLDER
mark=$(dmesg_mark)
sleep 5
tap_check "they have no storm" no_storm "$mark"
tap_check "their vector" stormed storm_vqs queues -1 vmdev-vqs
let_go
ask auto

use_bus v0 virtio_vdpa && net_up "$bdf" hostile
tap_check "a driver of the host" wait_for "grep -q vmdev-vq0:$bdf /proc/interrupts" 10
# Frames come back to where they came from; nobody is there to answer.
ip netns exec hostile ping -q -i 0.05 -W 1 10.0.2.2 >/dev/null &
BUSY=$!
tap_check "its queue's vector" stormed storm_vqs queue 1 vmdev-vq1
kill $BUSY
echo 0 >$rate
mark=$(dmesg_mark)
lie storm_vqs
sleep 15
tap_check "rate 0: nothing is ever masked" no_storm "$mark"
lie honest
cp "$probe" /out/
tap_check "dev del" vdpa dev del v0

echo 100 >$rate
bdf=$BDF_hostile1
tap_check "a function with one vector" dev_add v0 "$bdf" vhost_vdpa
hold $log v0 -t
BUSY=$HOLDER
tap_check "it storms" stormed storm_vqs all -1 vmdev-shared
let_go
tap_check "dev del" vdpa dev del v0
tap_check "a clean kernel log" clean_log
tap_done
