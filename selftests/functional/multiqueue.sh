#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Functions with two queue pairs: what is offered agrees with itself, stock QEMU starts with
# and without mq, and both pairs carry traffic.
# lab: --queues 2
# limit: 1000
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154,SC2034	# BDF_*, NESTED_*: to and from vm-lib.sh
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

vf0=$BDF_vf0_0 vf1=$BDF_vf0_1
data_size=256 ctrl_size=256	# QEMU's; the control queue is ours, as large as any
no_mq=0x300078020	# VERSION_1 ACCESS_PLATFORM CTRL_RX CTRL_VQ STATUS MRG_RXBUF MAC

# --- agreement --------------------------------------------------------------------------
# field NAME: of JSON on standard input
field() { sed -n "s/.*\"$1 *\":\"\?\([^,\"}]*\).*/\1/p"; }
# ring_sizes NAME: as VHOST_VDPA_GET_VRING_SIZE tells them, for each queue, with all features
# negotiated: before that queue 2 may be the control queue or not.
ring_sizes() {
	perl -e 'open(my $f, "+<", $ARGV[0]) or die "open: $!";
		my ($count, $features) = ("\0" x 4, "\0" x 8);
		sub do_ioctl { ioctl($f, $_[1], $_[2]) or die "$_[0]: $!" }
		do_ioctl("owner", 0xAF01, 0);
		do_ioctl("status", 0x4001AF72, pack("C", 3));
		do_ioctl("get features", 0x8008AF00, $features);
		do_ioctl("set features", 0x4008AF00, $features);
		do_ioctl("features ok", 0x4001AF72, pack("C", 11));
		do_ioctl("count", 0x8004AF80, $count);
		for my $i (0 .. unpack("L", $count) - 1) {
			my $size = pack("LL", $i, 0);
			do_ioctl("size", 0xC008AF82, $size);
			print((unpack("LL", $size))[1], " ");
		}' "$(vhost_of "$1")"
}
# agrees QUEUES PAIRS SIZES ATTR...: PAIRS may be empty, without MQ it is not told.
agrees() {
	local queues=$1 pairs=$2 sizes=$3 got

	shift 3
	dev_add mq "$vf0" vhost_vdpa "$@" || return
	got="$(vdpa -j dev show mq | field max_vqs),$(vdpa -j dev config show mq |
		field max_vq_pairs),$(ring_sizes mq)"
	vdpa dev del mq
	[ "$got" = "$queues,$pairs,$sizes " ] || { echo "$got"; return 1; }
}

# --- the client of our own --------------------------------------------------------------
client() {
	local out

	out=$("$TOOLS/vhost_vdpa_ioctl" -d "$(vhost_of mq)" --require net,vring_size "$@") && return
	grep -v '^ok' <<<"$out"
	return 1
}

# --- stock QEMU -------------------------------------------------------------------------
# guest NETDEV NIC: starts, pings without loss, and says nothing of a dead fallback.
guest() {
	NESTED_NETDEV=$1 NESTED_NIC=$2 NESTED_CMDLINE=vmdev.run=info,ping NESTED_LIMIT=240 NESTED_QEMU=(-smp 2)
	run_nested_guest "$(vhost_of mq)" >/tmp/nested.log 2>&1
	cat /tmp/nested.log
	grep -q 'ping 0% loss' /tmp/nested.log && ! grep -qE \
		'ring restore failed|set_vring_base failed|falling back|Segmentation' /tmp/nested.log
}
# One for each of its two CPUs, if there are so many.
guest_queues() { tr -d '\r' </tmp/nested.log | grep -q "queues $1\$" || { cat /tmp/nested.log; return 1; }; }

# --- the host ---------------------------------------------------------------------------
stations() {
	dev_add mq0 "$vf0" virtio_vdpa && dev_add mq1 "$vf1" virtio_vdpa &&
		net_up "$vf0" a 10.0.2.21 && net_up "$vf1" b 10.0.2.22
}
channels() { ip netns exec a ethtool -l eth0 | awk '/^Combined/ {print $2}' | tr '\n' ' '; }
# channels_are MAXIMUM NOW
channels_are() { [ "$(channels)" = "$1 $2 " ] || { channels; return 1; }; }
set_channels() {
	ip netns exec a ethtool -L eth0 combined "$1" && ip netns exec b ethtool -L eth0 combined "$1"
}
# Which queue a packet takes is the CPU's business: send from both.
both_cpus() {
	local cpu

	for cpu in 0 1; do
		taskset -c $cpu ip netns exec a ping -q -c 10 -i 0.05 -W 10 10.0.2.22 |
			grep ' 0% packet loss' || return
	done
}
# moves QUEUE kicks|interrupts: it counts while there is traffic.
moves() {
	local before

	before=$(stat_of mq0 "$1" "$2")
	both_cpus >/dev/null && [ "$(stat_of mq0 "$1" "$2")" -gt "$before" ]
}
stays() { ! moves "$@"; }
ctrl_used() { [ "$(stat_of mq0 4 kicks)" -gt 0 ]; }
delete() { vdpa dev del mq0 && vdpa dev del mq1; }

tap_plan 25
mark=$(dmesg_mark)
vdpa_setup
vf_create "$BDF_pf0" 2
pair="$data_size $data_size"
tap_check "MQ: 2 pairs, 5 queues, each of its own size" agrees 5 2 "$pair $pair $ctrl_size"
tap_check "max_vqp 1: 1 pair, 3 queues" agrees 3 1 "$pair $ctrl_size" max_vqp 1
tap_check "no MQ: 3 queues" agrees 3 "" "$pair $ctrl_size" device_features "$no_mq"
tap_check "no CTRL_VQ: 2 queues" agrees 2 "" "$pair" device_features 0x300000020

dev_add mq "$vf0" vhost_vdpa
tap_check "the client: count, sizes, queues enabled before features and late" client \
	vqs_count_fits_queue_pairs vring_size_known net_ring_sizes \
	net_enable_before_features net_enable_after_driver_ok net_one_queue_alone
tap_check "its control queue: which one that is, commands for pairs" client --require ctrl,mq \
	ctrl_groups ctrl_group_without_mq ctrl_queue_pairs ctrl_ring_as_large_as_any ctrl_mac_set \
	ctrl_apart ctrl_waits_while_suspended
vdpa dev del mq
dev_add mq "$vf0" vhost_vdpa device_features 0x300000020
tap_check "a device without one has one group, one address space" client ctrl_groups
vdpa dev del mq
dev_add mq "$vf0" vhost_vdpa
tap_check "QEMU with mq=on" guest ,queues=2 ,mq=on,vectors=6
tap_check "its guest has two pairs" guest_queues 2
tap_check "QEMU with mq=off" guest "" ,mq=off
tap_check "its guest has one pair" guest_queues 1
vdpa dev del mq
dev_add mq "$vf0" vhost_vdpa max_vqp 1
tap_check "QEMU on a device with one pair of two" guest "" ""
vdpa dev del mq

tap_check "two devices through virtio_vdpa" stations
tap_check "as many channels as CPUs: two" channels_are 2 2
tap_check "traffic, nothing lost" reach a 10.0.2.22
tap_check "transmit queue of pair 0 moves" moves 1 kicks
tap_check "transmit queue of pair 1 moves" moves 3 kicks
tap_check "the control queue was used" ctrl_used
tap_check "ethtool -L combined 1" set_channels 1
tap_check "traffic, nothing lost" reach a 10.0.2.22
tap_check "transmit queue of pair 1 rests" stays 3 kicks
tap_check "ethtool -L combined 2" set_channels 2
tap_check "transmit queue of pair 1 moves again" moves 3 kicks
tap_check "dev del" delete
tap_check "a clean kernel log" clean_log "$mark"
tap_done
