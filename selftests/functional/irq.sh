#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Vectors of a function: laid out as asked for, spread over CPUs, moved by drivers and operators; and
# what is told of them and of their isolation.
# lab: --queues 2 --blk 1
# limit: 400
# long-kernels: debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/irq_probe/lib.sh

vf=$BDF_vf0_0
bdf=$vf
mode() { cat "/sys/bus/pci/devices/$vf/vmdev/vectors"; }
ask() { put "$1" "/sys/bus/pci/devices/$vf/vmdev/vectors"; }
irqs() { grep -oE "vmdev-[a-z0-9]+:$vf" /proc/interrupts | sed "s/:$vf//" | sort | xargs; }

# fired: how often any of them did.
fired() { awk -v bdf="$bdf" '$1 == bdf && $2 == "vector" { n += $9 } END { print n + 0 }' "$probe"; }

# layout MODE LAYOUT IRQ...: asked for; it is LAYOUT; a client runs with these interrupts, until it lets go.
layout() {
	local before came got

	ask "$1" && [ "$(mode)" = "$2" ] || return
	[ "$(function_line)" = "$2 $1 5 6 $(($# - 2)) 0" ] || { function_line; return 1; }
	shift 2
	before=$(fired)
	hold $log v0 -t
	got=$(irqs)
	wait_for "[ \$(fired) -gt $before ]" 20
	came=$?
	let_go
	[ "$got" = "$*" ] && [ $came = 0 ] && [ -z "$(irqs)" ] && return
	echo "$got"
	return 1
}

# --- CPUs --------------------------------------------------------------------------------
# to QUEUE: the CPUs of its interrupt. wants QUEUE: those that its driver wants.
to() { cat "/proc/irq/$(vector_of queue "$1" irq)/smp_affinity_list"; }
wants() { echo "ibase=16; $(tr -d , <"/proc/irq/$(vector_of queue "$1" irq)/affinity_hint" | tr a-f A-F)" | bc; }
move() { put "$2" "/proc/irq/$(vector_of queue "$1" irq)/smp_affinity_list"; }
all_to() { echo "$(to 0) $(to 1) $(to 2) $(to 3)"; }
# arrives CPU CPU2: interrupts of queue 0, or those of queue 2 at CPU2, do with traffic: the host's
# bridge chooses.
arrives() {
	local i counts=("$(vector_of queue 0 count)" "$(vector_of queue 2 count)")

	reach ns >/dev/null || return
	for i in 0 1; do
		probe_line queue $((2 * i))
		[ "$(vector_of queue $((2 * i)) count)" -gt "${counts[i]}" ] || continue
		shift $i
		[ "$(vector_of queue $((2 * i)) cpu)" = "$1" ]
		return
	done
	return 1
}
# What the kernel counts is what is told.
counts() {
	local proc told

	proc=$(awk -v name="^vmdev-.*:$vf\$" '$NF ~ name { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }' /proc/interrupts)
	told=$(fired)
	echo "$proc in /proc/interrupts, $told"
	[ "$proc" -gt 0 ] && [ "$told" -ge "$proc" ] && [ "$told" -le $((proc + 50)) ]
}
cpu1() { put "$1" /sys/devices/system/cpu/cpu1/online; }

log=/tmp/hold.log
tap_plan 40
vf_create "$BDF_pf0" 2 || exit
vdpa_setup
tap_check "a module that asks" modprobe vmdev_irq_probe
mark=$(dmesg_mark)
tap_check "a device" dev_add v0 "$vf" virtio_vdpa
tap_check "an own vector for each queue" [ "$(mode)" = per-queue ]
tap_check "what is told of it" [ "$(function_line)" = "per-queue auto 5 6 6 1" ]
tap_check "and of vectors: uses" [ "$(uses)" = "config-shadow queue queue queue queue queue" ]
net_up "$vf" ns
tap_check "traffic" reach ns

for file in isolated:1 remapped:1 posted:0 translated:0 unsafe:0; do
	tap_check "interrupts are $file" \
		[ "$(cat "/sys/bus/pci/devices/$vf/vmdev/msi_${file%:*}")" = "${file#*:}" ]
done

tap_check "no other layout while a driver runs it" not ask all-shared
tap_check "with a line" logged "$mark" 1 "$vf: vectors: a driver runs the device"
tap_check "the layout is what it was" [ "$(mode)" = per-queue ]

tap_check "virtio_net has each pair on a CPU" [ "$(all_to)" = "0 0 1 1" ]
tap_check "it is what /proc/irq says that it wants" [ "$(wants 0) $(wants 2)" = "1 2" ]
tap_check "interrupts arrive there" arrives 0 1
tap_check "all are counted" counts
tap_check "an operator moves one" move 0 1
tap_check "and another" move 2 0
tap_check "interrupts arrive there" arrives 1 0
tap_check "the other ones stay" [ "$(all_to)" = "1 0 0 1" ]
tap_check "a CPU goes" cpu1 0
tap_check "interrupts arrive at the other one" arrives 0 0
tap_check "it comes again" cpu1 1
tap_check "traffic" reach ns

use_bus v0 vhost_vdpa
move 0 1
move 1 0
hold $log v0 -t
tap_check "vectors are near the function" [ "$(wants 1) $(wants 2)" = "2 1" ]
let_go
hold $log v0 -t
tap_check "where an operator put them they are after a reset" [ "$(to 0) $(to 1)" = "1 0" ]
let_go

tap_check "no such layout" not ask shared
tap_check "queues share a vector" layout queues-shared queues-shared vmdev-config vmdev-vqs
tap_check "all share one" layout all-shared all-shared vmdev-shared
use_bus v0 virtio_vdpa && net_up "$vf" ns
tap_check "the host's driver has traffic with it" reach ns
tap_check "no other vector is in use" [ "$(uses)" = "all unused unused unused unused unused" ]
use_bus v0 vhost_vdpa
tap_check "each queue has its own" layout per-queue per-queue vmdev-config vmdev-vq0 \
	vmdev-vq1 vmdev-vq2 vmdev-vq3 vmdev-vq4
ask all-shared
tap_check "as it was at first" layout auto per-queue vmdev-config vmdev-vq0 \
	vmdev-vq1 vmdev-vq2 vmdev-vq3 vmdev-vq4

ask all-shared
vdpa dev del v0
unbind_driver "$vf"
tap_check "a function that is not bound has none" [ -z "$(function_line)" ]
dev_add v0 "$vf"
tap_check "bound again it is as if nobody had asked" [ "$(mode)" = per-queue ]

tap_check "a disk of the host's driver" dev_add b0 "$BDF_blk0" virtio_vdpa
bdf=$BDF_blk0
disk=$(wait_for "block_of $bdf >/dev/null" 10 && block_of "$bdf")
tap_check "it can be read" dd if="/dev/$disk" of=/dev/null bs=1M count=4 iflag=direct
cp /proc/vmdev_irq_probe /out/
vdpa dev del b0
vdpa dev del v0
tap_check "a clean kernel log" clean_log
tap_done
