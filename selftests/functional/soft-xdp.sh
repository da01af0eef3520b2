#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vmdev_soft: XDP programs on the port, and what else the host has to look at frames: tc, nftables.
# lab: --vfs 0
# limit: 500
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# no_ipv6: from lib.sh
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

bpf=/sys/fs/bpf
type=88b5
count=20
# Of these, the last one is larger than what programs get in a page.
sizes=(60 1500 3500 8000)

prepare() {
	soft_setup && mount -t bpf bpf $bpf && for n in 0 1; do
		soft_add s$n virtio_vdpa mtu 9000 && guest s$n g$n 10.9.0.$((n + 2)) || return
	done
}
bridged() {
	ip link add br0 type bridge && ip link set br0 up mtu 9000 && for p in "$p0" "$p1"; do
		ip link set "$p" master br0 up || return
	done
	pings g0 10.9.0.3
}
apart() { for p in "$p0" "$p1"; do ip link set "$p" nomaster || return; done; }
together() { for p in "$p0" "$p1"; do ip link set "$p" master br0 || return; done; }
ifindex() { cat "/sys/class/net/$1/ifindex"; }
mac_in() { ip netns exec "$1" cat /sys/class/net/eth0/address; }

# pin NAME xdp|tc ACTION
pin() { /build/selftests/soft/bpf_pin "$bpf/$1" "$2" "$type" "$3"; }
# on NETDEV NAME
on() { ip -force link set dev "$1" xdpdrv pinned "$bpf/$2" && ip link show dev "$1" | grep -q 'xdp/id\|prog/xdp'; }
off() { ip link set dev "$1" xdpdrv off && not grep -q xdp <<<"$(ip link show dev "$1")"; }
# trips FROM TO DST WANT: of all sizes.
trips() { python3 -B /vmdev/selftests/soft/trip.py "$@" $count "${sizes[@]}"; }
across() { trips g0/eth0 g1/eth0 "$mac1" "$1"; }
# counted N CMD...: meanwhile the program on p0 takes N frames.
counted() {
	local before n=$1

	before=$(port_stat s0 rx_xdp)
	"${@:2}" || return
	n=$(($(port_stat s0 rx_xdp) - before))
	echo "$n frames were the program's"
	[ $n = "$1" ]
}
all=$((count * ${#sizes[@]}))

# --- verdicts ----------------------------------------------------------------------------
programs() {
	pin pass xdp pass && pin drop xdp drop && pin aborted xdp aborted && pin echo xdp echo &&
		pin trim xdp trim && pin tag xdp tag && pin to_p0 xdp "$(ifindex "$p0")" &&
		pin to_p1 xdp "$(ifindex "$p1")" && pin to_veth xdp "$(ifindex v0)" &&
		type=0800 pin ip_pass xdp pass && type=0800 pin ip_drop xdp drop &&
		pin tc_drop tc drop && pin tc_to_p1 tc "$(ifindex "$p1")"
}
# A veth takes redirected frames when its peer has a NAPI, of GRO.
veth() {
	ip netns add v && ip link add v0 mtu 9000 type veth peer name eth0 mtu 9000 netns v &&
		ip netns exec v bash -c "$no_ipv6" && ip netns exec v ethtool -K eth0 gro on &&
		ip link set v0 up && ip -n v link set eth0 up
}
passes() { on "$p0" pass && counted 0 across all; }
drops() { on "$p0" "$1" && counted $all across none && pings g0 10.9.0.3; }
# What comes back is nowhere else.
echoes() {
	on "$p0" echo && counted $all trips g0/eth0 g0/eth0 back all &&
		counted $all across none && counted $all trips g0/eth0 g0/eth0 back all
}
trims() { on "$p0" trim && counted 0 across less; }
tags() { on "$p0" tag && counted 0 trips g0/eth0 "-/$p0" "$mac1" tagged; }
detached() { off "$p0" && across all; }
# To the other port, whose driver gets it; from there nothing comes by itself.
redirects() { apart && on "$p0" to_p1 && counted $all across all && off "$p0" && across none; }
redirects_to_veth() { on "$p0" to_veth && counted $all trips g0/eth0 v/eth0 "$(mac_in v)" all && off "$p0"; }
# veth gives programs frames of a page, and those that are larger to nobody.
redirects_from_veth() {
	local before

	before=$(port_stat s0 tx_packets)
	sizes=(60 1500 3000)
	ip link set v0 mtu 3000 && ip -n v link set eth0 mtu 3000 && on v0 to_p0 && trips v/eth0 g0/eth0 "$mac0" all && off v0 &&
		[ $(($(port_stat s0 tx_packets) - before)) = $((3 * count)) ]
}
# With no driver there: they are lost, and nothing else.
redirects_to_nobody() {
	on "$p0" to_p1 && echo s1 >/sys/bus/vdpa/drivers/virtio_vdpa/unbind && counted $all trips g0/eth0 g0/eth0 "$mac1" none &&
		ip netns del g1 && use_bus s1 virtio_vdpa && guest s1 g1 10.9.0.3 &&
		wait_for "[ \"\$(cat /sys/class/net/$p1/carrier)\" = 1 ]" 5 && across all && off "$p0"
}
both_ways() {
	on "$p0" to_p1 && on "$p1" to_p0 && across all && trips g1/eth0 g0/eth0 "$mac0" all && off "$p0" && off "$p1"
}

# --- with TCP ----------------------------------------------------------------------------
iperf() {
	local seconds=$1 server

	shift
	ip netns exec g1 iperf3 -s -1 >/tmp/iperf.server 2>&1 &
	server=$!
	wait_for "ip netns exec g1 ss -Hltn 'sport = 5201' | grep -q ." 60 &&
		ip netns exec g0 iperf3 -J -c 10.9.0.3 -t "$seconds" "$@" >/tmp/iperf.json 2>&1
	local err=$?
	# A server that nobody came to waits for ever.
	[ $err = 0 ] || { kill $server; cat /tmp/iperf.json; }
	wait $server
	return $err
}
# carried FIELD: bytes that arrived
carried() {
	python3 -c 'import json, sys
end = json.load(open("/tmp/iperf.json"))["end"]
sent = [end[name]["bytes"] for name in sys.argv[1:]]
print("bytes that arrived:", *sent)
sys.exit(min(sent) < 1 << 20)' "$@"
}
# Their frames are larger than the MTU: programs get them otherwise.
segments() {
	local packets bytes

	on "$p0" ip_pass || return
	packets=$(port_stat s0 rx_packets) bytes=$(port_stat s0 rx_bytes)
	stream g0 g1 10.9.0.3 || return
	packets=$(($(port_stat s0 rx_packets) - packets)) bytes=$(($(port_stat s0 rx_bytes) - bytes))
	echo "$bytes bytes in $packets frames"
	[ $bytes -gt $((MIB << 20)) ] && [ $((bytes / packets)) -gt 9014 ]
}
# A stream stands still while everything is dropped, and goes on.
stands_still() {
	local before n

	iperf 10 &
	sleep 4
	before=$(port_stat s0 rx_xdp)
	on "$p0" ip_drop
	sleep 2
	n=$(($(port_stat s0 rx_xdp) - before))
	on "$p0" ip_pass && wait $! && carried sum_received && echo "$n frames were dropped" && [ $n -gt 0 ]
}
# Attached, replaced, taken away, on both ports, and traffic as long as that takes.
fifty() {
	local i batch

	for ((i = 0; i < 50; i++)); do
		for p in "$p0" "$p1"; do
			printf "link set dev $p xdpdrv %s\n" "pinned $bpf/pass" "pinned $bpf/ip_pass" off
		done
	done >/tmp/batch
	ip -force -batch /tmp/batch &
	batch=$!
	while kill -0 $batch 2>/dev/null; do
		iperf 5 --bidir && carried sum_received sum_received_bidir_reverse || return
	done
	wait $batch
}

# --- tc and nftables ---------------------------------------------------------------------
# with_filter NETDEV ingress|egress FILTER...: and $during, while it is there.
with_filter() {
	local err dev=$1 where=$2

	shift 2
	tc qdisc add dev "$dev" clsact && tc filter add dev "$dev" "$where" "$@" || return
	eval "$during"
	err=$?
	[ $err = 0 ] || tc -s filter show dev "$dev" "$where"
	tc qdisc del dev "$dev" clsact
	return $err
}
flower_drops() {
	local during='across none && pings g0 10.9.0.3'

	with_filter "$p0" ingress protocol 0x$type flower action drop && across all &&
		with_filter "$p1" egress protocol 0x$type flower dst_mac "$mac1" action drop && across all
}
mirred() {
	local during='across all'

	apart && with_filter "$p0" ingress protocol 0x$type flower action mirred egress redirect dev "$p1" && across none
	local err=$?
	together
	return $err
}
bpf_drops() {
	local during='across none && pings g0 10.9.0.3'

	with_filter "$p0" ingress bpf direct-action object-pinned $bpf/tc_drop && across all &&
		with_filter "$p1" egress bpf direct-action object-pinned $bpf/tc_drop && across all
}
bpf_redirects() {
	local during='across all'

	apart && with_filter "$p0" ingress bpf direct-action object-pinned $bpf/tc_to_p1 && across none
	local err=$?
	together
	return $err
}
nft() {
	python3 -B /vmdev/selftests/soft/nft.py add && across none && pings g0 10.9.0.3 &&
		python3 -B /vmdev/selftests/soft/nft.py del && across all
}
# can NAME MODULE CMD: those that the debug kernel has not.
can() {
	if modprobe "$2" 2>/dev/null; then
		tap_check "$1" "$3"
	else
		tap_skip "$1" "a kernel without $2"
	fi
}

# --- the end -----------------------------------------------------------------------------
gone_with_program() {
	on "$p0" pass && on "$p1" echo && vdpa dev del s0 && vdpa dev del s1 && rm $bpf/* && modprobe -r vmdev_soft
}

MIB=64
! grep -q debug /proc/version || MIB=16
tap_plan 28
tap_check "modules, two devices with drivers" prepare
p0=$(port s0) p1=$(port s1) mac0=$(mac_in g0) mac1=$(mac_in g1)
tap_check "a bridge" bridged
tap_check "a veth" veth
tap_check "programs" programs
tap_check "no program" across all
tap_check "PASS" passes
tap_check "DROP" drops drop
tap_check "ABORTED" drops aborted
tap_check "TX: back to the driver" echoes
tap_check "PASS, shortened" trims
tap_check "PASS, with a VLAN tag" tags
tap_check "none again" detached
tap_check "a stream of large frames, PASS" segments
tap_check "DROP of it for a while" stands_still
tap_check "50 times attached, replaced and taken away, with TCP both ways" fifty
tap_check "a stream after that" stream g1 g0 10.9.0.2
tap_check "REDIRECT to another port" redirects
tap_check "REDIRECT to a veth" redirects_to_veth
tap_check "REDIRECT from a veth" redirects_from_veth
tap_check "REDIRECT between two ports" both_ways
tap_check "REDIRECT to a port without a driver" redirects_to_nobody
mac1=$(mac_in g1)
together
tap_check "tc: BPF drops" bpf_drops
tap_check "tc: BPF redirects to another port" bpf_redirects
can "tc: flower drops" cls_flower flower_drops
can "tc: mirred redirects to another port" act_mirred mirred
can "nftables: a rule of a bridge" nf_tables nft
tap_check "devices go with programs on their ports" gone_with_program
tap_check "a clean kernel log" clean_log
tap_done
