#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tracepoints of the core and of dirty logs: each is driven, and each of its fields looked at.
# lab: --vfs 0
# limit: 300
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

tracing=/sys/kernel/tracing
events=$tracing/events
ioctl=$TOOLS/vhost_vdpa_ioctl
vmdev=/build/tools/vmdev

# trace 0|1: all events of ours. What was traced before is gone.
trace() {
	echo >$tracing/trace && put "$1" $events/vmdev/enable && put "$1" $events/vmdev_dirty/enable
}
# seen EVENT FIELDS [COUNT]: so many, at least one if that is not said, each with exactly these.
seen() {
	local n

	n=$(grep -cE " $1: $2\$" $tracing/trace)
	if [ "$n" = "${3:-$n}" ] && [ "$n" -gt 0 ] || [ "${3-}" = "$n" ]; then return; fi
	echo "$n of $1: $2"
	grep -E ' vmdev_[a-z_]*: ' $tracing/trace | tail -n 30
	return 1
}
state() { seen vmdev_state "device=$1 old=$2 new=$3 reason=${4-}"; }
path() { seen vmdev_path "device=$1 queue=$2 from=$3 to=$4" "${5-}"; }
policy() { put "$2" "/sys/bus/vdpa/devices/$1/vmdev/policy"; }

there() {
	[ "$(cd $events/vmdev && echo vmdev_*)" = 'vmdev_map vmdev_path vmdev_state vmdev_unmap vmdev_vq_broken' ] &&
		[ "$(cd $events/vmdev_dirty && echo vmdev_*)" = 'vmdev_dirty_report vmdev_dirty_start vmdev_dirty_stop' ]
}
# Numbers have names that perf and trace-cmd can make words of, too.
symbols() {
	! grep -h 'print fmt' $events/vmdev/*/format | grep VMDEV_ && grep -q '{ 3, "broken" }' $events/vmdev/vmdev_state/format &&
		! grep -h 'field:' $events/vmdev/vmdev_map/format | grep -w pa &&
		grep -q 'field:u32 old;' $events/vmdev/vmdev_state/format && grep -q 'field:u32 new;' $events/vmdev/vmdev_state/format
}
no_ctl() { ! grep '^vmdev_ctl ' /proc/modules; }

# --- states, maps, paths -----------------------------------------------------------------
life() { stepped "$TOOLS/steps" -d "$(vhost_of s0)" -- up=ok suspend=ok resume=ok reset=ok again=ok close=ok; }
silent() { trace 0 && life && ! grep -E ' vmdev_[a-z_]*: ' $tracing/trace; }
lived() { trace 1 && life && trace_stays; }
# To switch them off does not clear what was traced.
trace_stays() { echo 0 >$events/vmdev/enable && echo 0 >$events/vmdev_dirty/enable; }
states() {
	state s0 off running && state s0 running suspended && state s0 suspended running && state s0 running off
}
paths() { path s0 0 off direct 2 && path s0 1 off direct 2 && path s0 0 direct off 2; }
# What was mapped is unmapped, the same ranges.
maps() {
	seen vmdev_map 'device=s0 asid=0 iova=0x[0-9a-f]+ size=0x[0-9a-f]+ perm=rw ret=0' &&
		seen vmdev_unmap 'device=s0 asid=0 iova=0x[0-9a-f]+ size=0x[0-9a-f]+ perm=rw' &&
		diff <(sed -n 's/.* vmdev_map: \(.*\) ret=0$/\1/p' $tracing/trace | sort) \
			<(sed -n 's/.* vmdev_unmap: //p' $tracing/trace | sort)
}
# vhost-vdpa makes EFAULT of each error.
refused_map() {
	local knob=/sys/kernel/debug/vmdev_soft/vmdev_soft/fail_map

	put 1 $knob && trace 1 && stepped "$TOOLS/steps" -d "$(vhost_of s0)" -- up=EFAULT close=ok && put 0 $knob && trace_stays &&
		seen vmdev_map 'device=s0 asid=0 iova=0x[0-9a-f]+ size=0x[0-9a-f]+ perm=rw ret=-12' 1 && seen vmdev_unmap '.*' 0
}
readonly_map() {
	trace 1 && "$ioctl" -d "$(vhost_of s0)" map_readonly && trace_stays && seen vmdev_map 'device=s0 asid=0 .* perm=r ret=0' &&
		seen vmdev_unmap 'device=s0 asid=0 .* perm=r'
}
moved() {
	trace 1 && hold /tmp/hold s0 -t && policy s0 shadow && policy s0 auto && let_go && trace_stays &&
		path s0 0 direct shadow 1 && path s0 1 direct shadow 1 && path s0 1 shadow direct 1
}
control() { trace 1 && "$ioctl" -d "$(vhost_of s0)" ctrl_mac_set && trace_stays && path s0 2 off software 1; }

# --- what breaks -------------------------------------------------------------------------
# broke DEV QUEUE TEST: in a test of the client.
broke() {
	trace 1 && "$ioctl" -d "$(vhost_of "$1")" --scratch --software "$3" && trace_stays &&
		seen vmdev_vq_broken "device=$1 queue=$2 what=[a-z].+" &&
		state "$1" running broken '[a-z].+' && state "$1" broken off
}
in_shadow() { policy b0 shadow && broke b0 0 blk_broken_ring && policy b0 auto; }
add_blk() {
	vdpa dev add name b0 mgmtdev vmdev_soft_blk && use_bus b0 vhost_vdpa && wait_for "[ -c \"\$(vhost_of b0)\" ]" 5
}
removed() {
	trace 1 && hold /tmp/hold s0 -r && later vdpa dev del s0 && told /tmp/hold && let_go && ends 20 && trace_stays &&
		state s0 running broken 'it is being removed'
}

# --- dirty logs --------------------------------------------------------------------------
# A device that sends is logged, by one, and not by another one at the same time.
logged_pages() {
	local watch

	trace 1 && hold /tmp/hold s0 -t || return
	"$vmdev" -j dirty watch s0 -i 0.5 -r 1G:64M >/tmp/watch 2>&1 &
	watch=$!
	wait_for "seen vmdev_dirty_start '.*' 1 >/dev/null" 20 && not "$vmdev" dirty watch s0 -n 1 -r 1G:64M &&
		wait_for "seen vmdev_dirty_report '.*' >/dev/null" 20
	kill $watch
	wait $watch && let_go && trace_stays
}
started() {
	seen vmdev_dirty_start 'device=s0 asid=0 ranges=1 page_size=4096 ret=0' 1 &&
		seen vmdev_dirty_start 'device=s0 asid=0 ranges=1 page_size=4096 ret=-16' 1
}
# As many pages as whoever asked was told.
reported() {
	cat /tmp/watch
	seen vmdev_dirty_report 'device=s0 asid=0 iova=0x40000000 length=0x4000000 page_size=4096 pages=[1-9][0-9]* ret=0' &&
		[ "$(grep -o '"pages": *[0-9]*' /tmp/watch | grep -o '[0-9]*' | xargs)" = \
			"$(sed -n 's/.* vmdev_dirty_report: .* pages=\([0-9]*\) .*/\1/p' $tracing/trace | xargs)" ]
}
stopped() { seen vmdev_dirty_stop 'device=s0 asid=0' 1; }

tap_plan 25
tap_check "modules" soft_setup
tap_check "without the control plane" no_ctl
tap_check "events" there
tap_check "their numbers are words" symbols
tap_check "a device" soft_add s0 vhost_vdpa
tap_check "nothing that is off is traced" silent
tap_check "a client's life" lived
tap_check "vmdev_state" states
tap_check "vmdev_path: queues start and end" paths
tap_check "vmdev_map, vmdev_unmap" maps
tap_check "vmdev_map: refused" refused_map
tap_check "vmdev_map: read-only" readonly_map
tap_check "vmdev_path: queues move" moved
tap_check "vmdev_path: the control queue" control
tap_check "a disk" add_blk
tap_check "vmdev_vq_broken: direct" broke b0 0 blk_broken_ring
tap_check "vmdev_vq_broken: in shadow" in_shadow
tap_check "vmdev_vq_broken: the control queue" broke s0 2 ctrl_broken_index
tap_check "a log is started, reported, stopped" logged_pages
tap_check "vmdev_dirty_start" started
tap_check "vmdev_dirty_report" reported
tap_check "vmdev_dirty_stop" stopped
tap_check "vmdev_state: a device is removed" removed
tap_check "they go" eval "vdpa dev del b0 && modprobe -r vmdev_soft vmdev_pci vmdev && [ ! -e $events/vmdev ]"
tap_check "a clean kernel log" clean_log
tap_done
