#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Traffic and config changes in every layout that a number of MSI-X vectors allows.
# lab: --prop vectors=5
# long-lab: --prop vectors=4
# lab: --prop vectors=3
# long-lab: --prop vectors=2
# lab: --prop vectors=1
# long-lab: --prop vectors=0
# limit: 300
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

vf=$BDF_vf0_0
nvqs=3

# Entries of the function's MSI-X table.
vectors() {
	local cap

	if cap=$(setpci -s "$vf" CAP_MSIX+2.w 2>/dev/null); then
		echo $(((0x$cap & 0x7ff) + 1))
	else
		echo 0
	fi
}
# irqs: our lines of /proc/interrupts, sorted, without the function.
irqs() { grep -oE "vmdev-[a-z0-9]+:$vf" /proc/interrupts | sed "s/:$vf//" | sort | xargs; }
# fired NAME: how often that one came, on any CPU.
fired() {
	awk -v name="$1:$vf" '$NF == name { n = 0; for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i; print n }' \
		/proc/interrupts
}
moves() {
	local before

	before=$(fired "$1")
	reach ns >/dev/null || return
	echo "$1: $before before, $(fired "$1") after"
	[ "$(fired "$1")" -gt "$before" ]
}
stats_move() {
	local kicks interrupts

	kicks=$(stat_of v0 1 kicks) interrupts=$(stat_of v0 0 interrupts)
	reach ns >/dev/null
	[ "$(stat_of v0 1 kicks)" -gt "$kicks" ] && [ "$(stat_of v0 0 interrupts)" -gt "$interrupts" ]
}
set_link() { vm_qmp "{\"execute\":\"set_link\",\"arguments\":{\"name\":\"vf0.0\",\"up\":$1}}"; }
carrier() { wait_for "[ \"\$(ip netns exec ns cat /sys/class/net/eth0/carrier)\" = $1 ]" 10; }

# layout_of N: sets the words of the log, the names, and which of them queues and config use.
layout_of() {
	config=vmdev-config
	case $1 in
	1) words="queues and config share one" names=vmdev-shared data=vmdev-shared config=vmdev-shared ;;
	2 | 3) words="queues share one, config has its own" names="vmdev-config vmdev-vqs" data=vmdev-vqs ;;
	*) words="own vector per queue" names="vmdev-config vmdev-vq0 vmdev-vq1 vmdev-vq2" data=vmdev-vq0 ;;
	esac
	[ "$1" -lt $((nvqs + 2)) ] || words+=", one kept for shadow queues"
	[ "$1" -lt $((nvqs + 2)) ] || names="vmdev-config vmdev-shadow vmdev-vq0 vmdev-vq1 vmdev-vq2"
}

# can_be N MODE NEEDS: asked for, it is so if there are as many vectors, else refused with a line.
can_be() {
	local mark file=/sys/bus/pci/devices/$vf/vmdev/vectors

	mark=$(dmesg_mark)
	if [ "$1" -ge "$3" ]; then
		put "$2" "$file" && [ "$(cat "$file")" = "$2" ]
	else
		! put "$2" "$file" && [ "$(cat "$file")" != "$2" ] &&
			logged "$mark" 1 "$vf: vectors: $2 takes $3 vectors, the function has got $1\$" &&
			! /build/tools/vmdev irq set "$vf" "$2" 2>/tmp/said &&
			grep -x "Error: vmdev_ctl: $vf has not got enough vectors for that\." /tmp/said
	fi
}

# A function without a single vector cannot be ours.
no_vectors() {
	tap_plan 3
	tap_check "a function without vectors is refused" not bind_driver "$vf" vmdev_pci
	tap_check "with a line" logged "$mark" 1 "$vf: no MSI-X vector to be had"
	tap_check "a clean kernel log" clean_log
	tap_done
}

n_vectors() {
	local got=$(($1 < nvqs + 2 ? $1 : nvqs + 2))

	layout_of "$1"
	tap_plan 17
	tap_check "a function with $1 vectors" dev_add v0 "$vf" virtio_vdpa
	tap_check "its layout is in the log" \
		logged "$mark" 1 "$vf: $got MSI-X vectors for $nvqs queues: $words\$"
	net_up "$vf" ns
	tap_check "traffic" reach ns
	tap_check "interrupts have names: $names" [ "$(irqs)" = "$names" ]
	tap_check "that of received frames fires" moves "$data"
	tap_check "kicks and interrupts are counted" stats_move
	tap_check "the link goes down" set_link false
	tap_check "the driver sees it" carrier 0
	tap_check "the link comes up" set_link true
	tap_check "the driver sees it" carrier 1
	tap_check "config's interrupt came each time" [ "$(fired $config)" -ge 2 ]
	tap_check "traffic again" reach ns
	vdpa dev del v0
	tap_check "no interrupt is left" [ -z "$(irqs)" ]
	tap_check "all can share one" can_be "$got" all-shared 1
	tap_check "queues can, if there are two" can_be "$got" queues-shared 2
	tap_check "each can have its own, if there are enough" can_be "$got" per-queue $((nvqs + 1))
	tap_check "a clean kernel log" clean_log
	tap_done
}

vf_create "$BDF_pf0" 2 || exit
vdpa_setup && modprobe vmdev_ctl
mark=$(dmesg_mark)
n=$(vectors)
if [ "$n" = 0 ]; then no_vectors; else n_vectors "$n"; fi
