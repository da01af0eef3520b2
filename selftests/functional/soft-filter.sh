#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vmdev_soft: what a driver wants to receive, how it was provisioned, the link, queue pairs, and what
# becomes of the port on the host.
# lab: --vfs 0
# limit: 300
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# frames: from lib.sh
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

other=02:00:00:00:0a:01 second=02:00:00:00:0a:02 third=02:00:00:00:0a:03 group=01:00:5e:01:02:03

inside() { ip netns exec g0 "$@"; }
one() { soft_add s0 virtio_vdpa && guest s0 g0 10.9.0.2 && ip link set "$(port s0)" up; }
mac_of() { inside cat /sys/class/net/eth0/address; }

# --- filters -----------------------------------------------------------------------------
# are passed|filtered DST [VLAN]: frames from the host.
are() { python3 -B /vmdev/selftests/soft/burst.py g0 "$p0" "$@"; }
unicast() {
	inside bridge fdb add $second dev eth0 self permanent && are passed $second && are filtered $third &&
		inside bridge fdb del $second dev eth0 self permanent && are filtered $second
}
macvlan() {
	ip -n g0 link add link eth0 name mv0 address $third type macvlan mode bridge &&
		ip -n g0 link set mv0 up && are passed $third && are filtered $second &&
		ip -n g0 link del mv0 && are filtered $third
}
multicast() {
	are filtered $group && ip -n g0 maddr add $group dev eth0 && are passed $group &&
		ip -n g0 maddr del $group dev eth0 && are filtered $group
}
allmulti() {
	ip -n g0 link set eth0 allmulticast on && are passed $group && are filtered $other &&
		ip -n g0 link set eth0 allmulticast off && are filtered $group
}
promisc() {
	ip -n g0 link set eth0 promisc on && are passed $other && are passed $group &&
		ip -n g0 link set eth0 promisc off && are filtered $other && are filtered $group
}
# More addresses than the device looks for one by one: it takes all of that kind.
many() {
	local i

	for ((i = 1; i <= 300; i++)); do
		printf 'fdb add 02:00:00:01:%02x:%02x dev eth0 self permanent\n' $((i >> 8)) $((i & 255))
	done >/tmp/many
	inside bridge -batch /tmp/many && are passed 02:00:00:01:01:20 && are passed $other &&
		are filtered $group && sed -i 's/add/del/' /tmp/many &&
		inside bridge -batch /tmp/many && are filtered $other && are filtered 02:00:00:01:01:20
}
vlan_here() { ip -n g0 link add link eth0 name eth0.5 type vlan id 5 && ip -n g0 link set eth0.5 up; }
vlan() {
	are filtered "$(mac_of)" 5 && vlan_here && are passed "$(mac_of)" 5 && are filtered "$(mac_of)" 6 &&
		are filtered $other 5 && are passed "$(mac_of)"
}
vlan_bridged() {
	ip link add br0 type bridge vlan_filtering 1 && ip link set "$p0" master br0 && ip link set br0 up &&
		bridge vlan add dev "$p0" vid 5 && bridge vlan add dev br0 vid 5 self &&
		ip link add link br0 name br0.5 type vlan id 5 && ip addr add 10.9.5.1/24 dev br0.5 &&
		ip link set br0.5 up && ip -n g0 addr add 10.9.5.2/24 dev eth0.5 && pings g0 10.9.5.1 &&
		pings g0 10.9.5.1 1400
}
# The bridge lets it through, the device does not.
vlan_foreign() {
	local filtered

	bridge vlan add dev "$p0" vid 6 && bridge vlan add dev br0 vid 6 self &&
		ip link add link br0 name br0.6 type vlan id 6 && ip addr add 10.9.6.1/24 dev br0.6 &&
		ip link set br0.6 up || return
	filtered=$(port_stat s0 tx_filtered)
	ip neigh add 10.9.6.2 lladdr "$(mac_of)" dev br0.6
	! ping -c 2 -W 1 10.9.6.2 >/dev/null || return
	filtered=$(($(port_stat s0 tx_filtered) - filtered))
	echo "$filtered filtered"
	[ $filtered -ge 2 ]
}
vlan_gone() {
	ip link del br0 && ip -n g0 link del eth0.5 && are filtered "$(mac_of)" 5 && are passed "$(mac_of)"
}
new_mac() {
	local old

	old=$(mac_of)
	ip -n g0 link set eth0 address 02:00:00:00:0a:77 && are passed 02:00:00:00:0a:77 &&
		are filtered "$old" && vdpa dev config show s0 | grep "mac 02:00:00:00:0a:77"
}
# A new driver of the device has not said yet what it wants; this one says so at once.
new_driver() {
	ip -n g0 link set eth0 down && use_bus s0 virtio_vdpa && ip netns del g0 && guest s0 g0 10.9.0.2 &&
		are passed "$(mac_of)" && are filtered $other && are filtered $group
}

# --- provisioning ------------------------------------------------------------------------
# refused ERROR LINE ATTR...: and one line in the log; "" for none: then the vdpa core says it.
refused() {
	local error=$1 line=$2 mark out

	shift 2
	mark=$(dmesg_mark)
	out=$(vdpa dev add name bad mgmtdev vmdev_soft "$@" 2>&1) && { echo "was accepted"; return 1; }
	[[ $out == *$error* ]] || { echo "$out"; return 1; }
	[ ! -e /sys/bus/vdpa/devices/bad ] && [ -z "$(port bad)" ] || return
	[ -z "$line" ] || logged "$mark" 1 "$line"
}
shows() {
	local out word

	out=$(vdpa dev config show "$1")
	for word in "${@:2}"; do
		grep -q "$word" <<<"$out" || { echo "no '$word' in $out"; return 1; }
	done
}
provisioned() {
	soft_add s1 virtio_vdpa mac 52:54:00:12:34:56 mtu 4000 max_vqp 4 &&
		shows s1 "mac 52:54:00:12:34:56" "mtu 4000" "max_vq_pairs 4"
}
driver_sees() {
	guest s1 g1 10.9.0.3 && ip link set "$p1" up || return
	ip -n g1 link show eth0
	ip -n g1 link show eth0 | grep "mtu 4000" && ip -n g1 link show eth0 | grep 52:54:00:12:34:56 &&
		ip netns exec g1 ethtool -l eth0 | awk '/^Combined/ {print $2; exit}' | grep -x 4
}
port_sees() {
	ip -d link show "$p1"
	[ "$(cat "/sys/class/net/$p1/mtu")" = 4000 ] && [ "$(cat "/sys/class/net/$p1/address")" != 52:54:00:12:34:56 ] &&
		[ "$(cat "/sys/class/net/$p1/phys_port_name")" = s1 ] &&
		ethtool -l "$p1" | awk '/^Combined/ {print $2; exit}' | grep -x 4 &&
		ethtool -i "$p1" | grep "driver: vmdev_soft" && ethtool -i "$p1" | grep "bus-info: s1"
}

# --- link --------------------------------------------------------------------------------
carrier_is() { [ "$("$1"_carrier_now)" = "$2" ]; }
guest_carrier_now() { inside cat /sys/class/net/eth0/carrier; }
port_carrier_now() { cat "/sys/class/net/$p0/carrier"; }
link_is() {
	wait_for "carrier_is $1 $2" 5 && return
	echo "carrier of $1: $("$1"_carrier_now)"
	return 1
}
port_down() {
	ip link set "$p0" down && link_is guest 0 && ip -n g0 link show eth0 | grep NO-CARRIER &&
		ip link set "$p0" up && link_is guest 1
}
unbound() {
	echo s0 >/sys/bus/vdpa/drivers/virtio_vdpa/unbind && link_is port 0 && ip link show "$p0" | grep NO-CARRIER &&
		ip netns del g0 && use_bus s0 virtio_vdpa && guest s0 g0 10.9.0.2 && link_is port 1 &&
		are passed "$(mac_of)"
}

# --- queue pairs -------------------------------------------------------------------------
per_queue() { ethtool -S "$p1" | awk -v p="^ *$1[0-9]+_packets:" '$0 ~ p {print $2}' | tr '\n' ' '; }
# flows NS ADDR: 64 of them, a few datagrams each, from each processor.
flows() {
	local cpu

	for cpu in $(seq 0 $(($(nproc) - 1))); do
		ip netns exec "$1" taskset -c "$cpu" python3 -c 'import socket, sys
for port in range(20000, 20064):
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", port))
	for _ in range(5): s.sendto(b"x" * 100, (sys.argv[1], 9))' "$2" || return
	done
}
# moved BEFORE AFTER: how many of the counters did.
moved() {
	local before after i n=0

	read -ra before <<<"$1"
	read -ra after <<<"$2"
	for i in "${!before[@]}"; do
		[ "${after[i]}" = "${before[i]}" ] || n=$((n + 1))
	done
	echo $n
}
# pairs_move N [CMD...]: so many queues move both ways
pairs_move() {
	local rx tx got

	rx=$(per_queue rx) tx=$(per_queue tx)
	flows g1 10.9.0.1 && flows sw 10.9.0.3 || return
	sleep 1
	got="$(moved "$rx" "$(per_queue rx)") $(moved "$tx" "$(per_queue tx)")"
	echo "of pairs $got move: rx $rx then $(per_queue rx), tx $tx then $(per_queue tx)"
	[ "$got" = "$1 $1" ]
}
# Datagrams that nobody wants: no answers, which would be flows of their own.
pairs_ready() {
	ip netns add sw && ip link add br1 type bridge && ip link set br1 up && ip link set "$p1" master br1 &&
		ip link add up1 type veth peer name eth0 netns sw && ip link set up1 master br1 up &&
		ip -n sw addr add 10.9.0.1/24 dev eth0 && ip -n sw link set eth0 up && pings g1 10.9.0.1 || return
	for ns in g1 sw; do
		ip netns exec $ns bash -c 'echo 1 >/proc/sys/net/ipv4/icmp_ratelimit; echo 0 >/proc/sys/net/ipv4/icmp_ratemask'
	done
	ip netns exec g1 ethtool -L eth0 combined 4 &&
		ethtool -l "$p1" | awk '/^Combined/ {print $2}' | tail -n 1 | grep -x 4
}
one_pair() { ip netns exec g1 ethtool -L eth0 combined 1 && pairs_move 1; }

# --- the port goes places ----------------------------------------------------------------
# A physical netdev comes back when its namespace ends.
port_travels() {
	local port

	ip netns add far && ip link set "$p1" netns far name away && ip -n far link set away up &&
		ip -n far addr add 10.9.0.9/24 dev away && pings g1 10.9.0.9 && pings far 10.9.0.3 &&
		ip netns del far && wait_for "[ -n \"\$(port s1)\" ]" 60 || return
	port=$(port s1)
	ip link set "$port" master br1 up && pings g1 10.9.0.1
}
del_in_bridge() {
	local port

	port=$(port s1)
	vdpa dev del s1 && [ ! -e "/sys/class/net/$port" ] && [ ! -e "/sys/class/net/br1/brif/$port" ]
}

# --- a driver that gives no buffers ------------------------------------------------------
backlog() { tc -s qdisc show dev "$p2" | awk '$1 == "backlog" {sub("p", "", $3); n += $3} END {print n + 0}'; }
stuck_there() {
	soft_add s2 vhost_vdpa && wait_for "[ -c \"\$(vhost_of s2)\" ]" 5 && soft_add s3 virtio_vdpa &&
		guest s3 g3 10.9.0.4 && for name in s2 s3; do
		ip link set "$(port $name)" master br1 up || return
	done
	pings sw 10.9.0.4
}
holds() { kill -0 "$HOLDER" && [ "$(cat "/sys/class/net/$p2/carrier")" = 1 ]; }
# Frames for everybody: it gets them late and loses them, the other one gets all of them.
stuck_drops() {
	local got n=500

	got=$(ip netns exec g3 cat /sys/class/net/eth0/statistics/rx_packets)
	ip netns exec sw python3 -c "$frames" eth0 ff:ff:ff:ff:ff:ff $n 0 1500 || return
	wait_for "[ \"\$(backlog)\" = 0 ] && [ \"\$(port_stat s2 tx_drops)\" -ge $n ]" 10
	got=$(($(ip netns exec g3 cat /sys/class/net/eth0/statistics/rx_packets) - got))
	echo "$got received by the other, backlog $(backlog), drops $(port_stat s2 tx_drops), stops $(port_stat s2 tx_stops)"
	[ "$(backlog)" = 0 ] && [ "$(port_stat s2 tx_drops)" -ge $n ] && [ $got -ge $n ]
}
# Whoever sends by itself, with a small send buffer, gets it back: 4 MiB are sent in pieces.
stuck_sender() { timeout 20 python3 -c "$frames" "$p2" 02:00:00:00:0b:01 2800 0 1500; }
# slab: KiB, of which skbs and their data are a part.
slab() { awk '$1 == "Slab:" {print $2}' /proc/meminfo; }
bounded() {
	local before after

	before=$(slab)
	for _ in 1 2 3 4 5; do
		stuck_sender || return
	done
	after=$(slab)
	echo "slab $before KiB, then $after KiB; $(tc -s qdisc show dev "$p2")"
	# Of 20 MiB sent.
	[ $((after - before)) -lt 4096 ]
}
# It gives buffers after all, and takes what comes.
comes_back() {
	local got

	got=$(port_stat s2 tx_packets)
	ip netns exec sw python3 -c "$frames" eth0 ff:ff:ff:ff:ff:ff 5 &&
		wait_for "[ \"\$(port_stat s2 tx_packets)\" -ge $((got + 5)) ]" 5
}

tap_plan 41
tap_check "modules" soft_setup
tap_check "a device with a driver" one
p0=$(port s0)
tap_check "its own address passes" are passed "$(mac_of)"
tap_check "that of another station does not" are filtered $other
tap_check "broadcast passes" are passed ff:ff:ff:ff:ff:ff
tap_check "promiscuous, everything passes; then no more" promisc
tap_check "a second address" unicast
if modprobe macvlan 2>/dev/null; then
	tap_check "that of a macvlan" macvlan
else
	tap_skip "that of a macvlan" "a kernel without macvlan"
fi
tap_check "a multicast group that was joined" multicast
tap_check "all multicast" allmulti
tap_check "more addresses than are looked for: all unicast" many
tap_check "a VLAN passes while somebody wants it" vlan
tap_check "pings in a VLAN, through a bridge" vlan_bridged
tap_check "a VLAN that nobody asked for is filtered, and counted" vlan_foreign
tap_check "and so is that VLAN, once nobody wants it" vlan_gone
tap_check "another MAC address" new_mac
tap_check "the next driver begins anew" new_driver

tap_check "port down: no carrier; up: carrier" port_down
tap_check "no driver: no carrier of the port; a driver: carrier" unbound

tap_check "provisioned MAC, MTU, queue pairs" provisioned
p1=$(port s1)
tap_check "the driver sees them" driver_sees
tap_check "and so does the host" port_sees
tap_check "mac of a group: EINVAL" refused "Invalid argument" "mac 01:.*not an address of a station" \
	mac 01:00:5e:00:00:01
tap_check "mtu 67: ERANGE" refused "out of range" "" mtu 67
tap_check "mtu 65522: EOPNOTSUPP" refused "not supported" "mtu 65522: hardware can do 68 to 65521" mtu 65522
tap_check "max_vqp 65: EOPNOTSUPP" refused "not supported" "max_vqp 65: the device can have at most 64" max_vqp 65
tap_check "max_vqp 0: EINVAL" refused "Invalid argument" "" max_vqp 0
tap_check "four pairs in use" pairs_ready
tap_check "all four move, both ways" pairs_move 4
tap_check "one in use: only that" one_pair

tap_check "the port in another namespace, which ends" port_travels
traffic sw 10.9.0.3
tap_check "dev del while it is in a bridge, with traffic" del_in_bridge
quiet

tap_check "one on vhost-vdpa, and one more with a driver" stuck_there
p2=$(port s2)
hold /tmp/hold s2 -r
tap_check "a driver that gives no buffers runs" holds
tap_check "others are pinged all the same" pings sw 10.9.0.4
tap_check "what comes for it is dropped after a while, others get theirs" stuck_drops
tap_check "a sender gets its memory back" stuck_sender
tap_check "memory is bounded" bounded
let_go
hold /tmp/hold s2 -t
tap_check "one that gives buffers gets frames again" comes_back
let_go
tap_check "modprobe -r" modprobe -r vmdev_soft
tap_check "a clean kernel log" clean_log
tap_done
