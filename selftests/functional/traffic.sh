#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The host's own virtio-net over vDPA devices: a PF and two VFs at once, back to back on one
# segment, each netdev in a namespace of its own; then bus drivers that change a hundred times,
# and packed rings.
# lab: --net hub --prop packed=on
# limit: 700
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

pf=$BDF_pf0 vf0=$BDF_vf0_0 vf1=$BDF_vf0_1
rebinds=100
PACKED_BIT=34
# VERSION_1, ACCESS_PLATFORM, RING_PACKED, EVENT_IDX, CTRL_RX, CTRL_VQ, STATUS, MRG_RXBUF, MAC
packed_features=0x720078020

# station NS N BDF: the netdev of a function becomes 10.0.3.N and fd00::N in a namespace.
station() {
	net_up "$3" "$1" "10.0.3.$2" && ip -n "$1" addr add "fd00::$2/64" dev eth0 nodad
}

# --- setup ------------------------------------------------------------------------------
vfs_by_vmdev() {
	bind_driver "$pf" vmdev_pci &&
		echo 2 >"/sys/bus/pci/devices/$pf/sriov_numvfs" &&
		[ -e "/sys/bus/pci/devices/$vf1" ]
}
three_devices() {
	dev_add vf0 "$vf0" virtio_vdpa && dev_add vf1 "$vf1" virtio_vdpa &&
		dev_add pf "$pf" virtio_vdpa && [ "$(vdpa dev show | grep -c 'max_vqs 3')" = 3 ]
}
three_stations() { station a 1 "$vf0" && station b 2 "$vf1" && station c 3 "$pf"; }

# --- traffic ----------------------------------------------------------------------------
# everyone PREFIX: each reaches each.
everyone() {
	reach a "${1}2" && reach b "${1}3" && reach c "${1}1"
}
# large FROM ADDR: frames of full size, of which none is lost.
large() { ip netns exec "$1" ping -q -c 20 -i 0.05 -W 10 -s 1472 -M "do" "$2" | grep ' 0% packet loss'; }

# stream FROM TO ADDR [OPTION...]: iperf3 says that data arrived.
stream() {
	local from=$1 to=$2 addr=$3 server out

	shift 3
	ip netns exec "$to" timeout 60 iperf3 -s -1 >/dev/null 2>&1 &
	server=$!
	wait_for "ip netns exec $to ss -Hltn 'sport = 5201' | grep -q ." 20 || return
	out=$(ip netns exec "$from" timeout 60 iperf3 -c "$addr" -t 2 "$@" 2>&1)
	kill "$server" 2>/dev/null
	wait "$server" 2>/dev/null
	grep -qE '[1-9][0-9.]* [KMG]?Bytes .*receiver' <<<"$out" && return
	echo "$out"
	return 1
}
udp=(-u -b 5M -l 1200)
at_once() {
	ip netns exec a ping -q -i 0.01 -w 3 10.0.3.2 >/tmp/ping.a &
	ip netns exec b ping -q -i 0.01 -w 3 10.0.3.3 >/tmp/ping.b &
	ip netns exec c ping -q -i 0.01 -w 3 10.0.3.1 >/tmp/ping.c &
	wait
	cat /tmp/ping.[abc]
	[ "$(cat /tmp/ping.[abc] | grep -cE '[1-9][0-9]* received')" = 3 ]
}

# --- what tools say ---------------------------------------------------------------------
driver_named() {
	ip netns exec a ethtool -i eth0 | grep -x 'driver: virtio_net'
}
# moved NS: the driver's own statistics know of it.
moved() {
	local out

	out=$(ip netns exec "$1" ethtool -S eth0) && grep -qE '\<tx0?_kicks: [1-9]' <<<"$out" && return
	echo "$out"
	return 1
}
counted() {
	[ "$(stat_of "$1" 0 interrupts)" -gt 0 ] && [ "$(stat_of "$1" 1 kicks)" -gt 0 ]
}

# --- bus drivers ------------------------------------------------------------------------
rebind() {
	local i

	for ((i = 1; i <= rebinds; i++)); do
		if ! use_bus vf0 vhost_vdpa || ! use_bus vf0 virtio_vdpa; then
			echo "round $i"
			return 1
		fi
	done
}
back_again() { station a 1 "$vf0" && reach a 10.0.3.2 && reach b fd00::1; }

# --- packed rings -----------------------------------------------------------------------
ring_is_packed() {
	local features

	features=$(cat /sys/bus/pci/devices/"$1"/virtio*/features) || return
	[ "${features:$PACKED_BIT:1}" = 1 ]
}
repack() {
	vdpa dev del vf0 && vdpa dev del vf1 &&
		dev_add vf0 "$vf0" virtio_vdpa device_features "$packed_features" &&
		dev_add vf1 "$vf1" virtio_vdpa device_features "$packed_features" &&
		station a 1 "$vf0" && station b 2 "$vf1"
}

tap_plan 32
mark=$(dmesg_mark)
vdpa_setup
tap_check "a PF of ours creates two VFs" vfs_by_vmdev
tap_check "PF and VFs as vDPA devices at once" three_devices
tap_check "their netdevs in three namespaces" three_stations
tap_check "split rings by default" eval "! ring_is_packed $vf0"
tap_check "IPv4: each reaches each, nothing lost" everyone 10.0.3.
tap_check "IPv6: each reaches each, nothing lost" everyone fd00::
tap_check "full-size frames, nothing lost" large a 10.0.3.2
tap_check "TCP from VF to VF" stream a b 10.0.3.2
tap_check "TCP back" stream a b 10.0.3.2 -R
tap_check "TCP over IPv6" stream b a fd00::1
tap_check "UDP from VF to VF" stream a b 10.0.3.2 "${udp[@]}"
tap_check "UDP back" stream a b 10.0.3.2 "${udp[@]}" -R
tap_check "TCP from PF to VF" stream c a 10.0.3.1
tap_check "TCP from VF to PF" stream c a 10.0.3.1 -R
tap_check "traffic of all three at once" at_once
tap_check "ethtool names virtio_net" driver_named
tap_check "ethtool counts (VF)" moved a
tap_check "ethtool counts (PF)" moved c
tap_check "vstats count (VF)" counted vf0
tap_check "vstats count (PF)" counted pf
tap_check "$rebinds times vhost_vdpa and virtio_vdpa" rebind
tap_check "traffic after that" back_again
tap_check "TCP after that" stream a b 10.0.3.2
tap_check "packed rings on request" repack
tap_check "they were negotiated" ring_is_packed "$vf0"
tap_check "IPv4 over packed rings, nothing lost" reach a 10.0.3.2
tap_check "IPv6 over packed rings, nothing lost" reach b fd00::1
tap_check "TCP over packed rings" stream a b 10.0.3.2
tap_check "TCP over packed rings, back" stream a b 10.0.3.2 -R
tap_check "UDP over packed rings" stream a b 10.0.3.2 "${udp[@]}"
tap_check "split and packed together" reach c 10.0.3.1
tap_check "a clean kernel log" clean_log "$mark"
tap_done
