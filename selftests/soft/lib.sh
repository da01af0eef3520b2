# SPDX-License-Identifier: GPL-2.0
# Sourced by tests of vmdev_soft, after common.sh: devices, ports and what connects them.
# shellcheck shell=bash disable=SC2034	# frames is for who sources this

no_ipv6='[ ! -d /proc/sys/net/ipv6 ] || echo 1 | tee /proc/sys/net/ipv6/conf/{all,default}/disable_ipv6 >/dev/null'
# soft_setup [PARAMETER...]: no device yet, and nobody but us sends on a port.
soft_setup() {
	vdpa_setup && modprobe vmdev_soft "$@" || return
	eval "$no_ipv6"
}
# soft_add NAME BUS [ATTR...]
soft_add() {
	local name=$1 bus=$2

	shift 2
	vdpa dev add name "$name" mgmtdev vmdev_soft "$@" && use_bus "$name" "$bus"
}
# port NAME: the netdev that is its port
port() {
	local path

	for path in /sys/class/net/*/{phys_port_name,ifalias}; do
		[ "$(cat "$path" 2>/dev/null)" != "$1" ] || basename "${path%/*}"
	done
}
# wire NAME...: their ports are at one hub, and nobody else.
wire() {
	local name

	ip link show dev wire >/dev/null 2>&1 ||
		ip link add wire type bridge ageing_time 0 mcast_snooping 0 || return
	ip link set wire up
	for name; do
		ip link set "$(port "$name")" master wire up || return
	done
}

# soft_lan: a bridge for ports that come and go with their devices, and stay there with soft_plumb;
# with soft_chatter all of them hear somebody. Both run until they are killed.
soft_lan() {
	ip link add wire type bridge ageing_time 0 mcast_snooping 0 && ip link set wire up &&
		ip addr add 10.9.0.1/24 brd 10.9.0.255 dev wire
}
soft_plumb() {
	local path

	while sleep 0.3; do
		for path in /sys/class/net/*/phys_port_name; do
			path=${path%/*}
			# Others have the file, too, but no name in it.
			[ -e "$path/master" ] || ! read -r <"$path/phys_port_name" ||
				ip link set "${path##*/}" master wire up
		done
	done >/dev/null 2>&1
}
soft_chatter() { ping -q -b -i 0.01 -s 1000 10.9.0.255 >/dev/null 2>&1; }

# --- drivers on the host -----------------------------------------------------------------
# driver_netdev NAME: the netdev of its driver, which has its MAC address.
driver_netdev() {
	local mac path

	mac=$(vdpa -j dev config show "$1" | python3 -c 'import json, sys
print(list(json.load(sys.stdin)["config"].values())[0]["mac"])')
	for path in /sys/bus/vdpa/devices/"$1"/virtio*/net/*; do
		[ "$(cat "$path/address" 2>/dev/null)" != "$mac" ] || basename "$path"
	done
}
# guest NAME NS ADDR: its driver on the host, in a namespace.
guest() {
	local netdev

	wait_for "[ -n \"\$(driver_netdev $1)\" ]" 20 || return
	netdev=$(driver_netdev "$1")
	ip netns add "$2" && ip netns exec "$2" bash -c "$no_ipv6" &&
		ip link set "$netdev" netns "$2" name eth0 && ip -n "$2" addr add "$3/24" dev eth0 &&
		ip -n "$2" link set eth0 up
}

# --- counters ----------------------------------------------------------------------------
# port_stat NAME COUNTER: of all queues of its port, as ethtool has them: tx_filtered, rx_xdp.
port_stat() {
	ethtool -S "$(port "$1")" |
		awk -v pattern="^ *${2%%_*}[0-9]+_${2#*_}:" '$0 ~ pattern {n += $2} END {print n + 0}'
}

# --- traffic -----------------------------------------------------------------------------
# python3 -c "$frames" NETDEV DST COUNT [VLAN [BYTES]]: of an experimental type.
frames='import socket, sys
dev, dst, (count, vlan, size) = sys.argv[1], sys.argv[2], map(int, (sys.argv[3:] + ["0", "60"])[:3])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind((dev, 0))
tag = b"\x81\x00" + vlan.to_bytes(2, "big") if vlan else b""
f = bytes.fromhex(dst.replace(":", "") + "020000000099") + tag + b"\x88\xb5"
for _ in range(count): s.send(f.ljust(size, b"x"))'
# pings NS ADDR [BYTES]
pings() { ip netns exec "$1" ping -c 3 -W 5 -s "${3:-56}" "$2"; }
# stream FROM TO ADDR: 64 MiB over TCP, or MIB, as they were.
stream() {
	local server

	rm -f /tmp/listens /tmp/got /tmp/sent
	ip netns exec "$2" python3 -c 'import socket, hashlib
s = socket.create_server(("", 5001)); open("/tmp/listens", "w").close(); c, _ = s.accept(); h = hashlib.md5()
while d := c.recv(1 << 16): h.update(d)
open("/tmp/got", "w").write(h.hexdigest())' &
	server=$!
	wait_for "[ -e /tmp/listens ]" 60
	ip netns exec "$1" python3 -c 'import socket, hashlib, os, sys
d = os.urandom(1 << 20); h = hashlib.md5(); s = socket.create_connection((sys.argv[1], 5001))
for _ in range(int(sys.argv[2])): s.sendall(d); h.update(d)
s.close(); open("/tmp/sent", "w").write(h.hexdigest())' "$3" "${MIB:-64}" || { kill $server; return 1; }
	wait $server
	cmp /tmp/got /tmp/sent
}
