#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vmdev_soft: a device without hardware, and its port on the host.
# lab: --vfs 0
# limit: 400
# long-kernels: 7.2
# shellcheck source=/dev/null disable=SC2154
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

two() {
	soft_add s0 virtio_vdpa "$@" && soft_add s1 virtio_vdpa "$@" && guest s0 g0 10.9.0.2 && guest s1 g1 10.9.0.3
}
bridged() {
	ip netns add sw && for p in s0 s1; do
		ip link set "$(port $p)" netns sw name $p || return
	done
	ip -n sw link add br0 type bridge && ip -n sw addr add 10.9.0.1/24 dev br0 && ip -n sw link set br0 up &&
		for p in s0 s1; do ip -n sw link set $p master br0 up || return; done
}
# A driver that can announce itself does so when its port comes up, for whoever is behind it by then.
announcing() {
	soft_add s0 virtio_vdpa device_features 0x3302399ab && guest s0 g0 10.9.0.2 && ip link add br0 type bridge &&
		ip link set br0 up && ip link set "$(port s0)" master br0
}
# A gratuitous ARP request is from the address that it is for.
announced() {
	python3 -c 'import socket, subprocess, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("br0", 0x0806)); s.settimeout(60)
for state in "down", "up": subprocess.run(["ip", "link", "set", sys.argv[1], state], check=True)
me = socket.inet_aton(sys.argv[2])
while True:
	f = s.recv(1514)
	if f[28:32] == me == f[38:42]: break' "$(port s0)" 10.9.0.2
}
acknowledged() { wait_for "vdpa dev config show s0 | grep -q 'link_announce false'" 20; }
silent() { vdpa dev del s0 && ip netns del g0 && ip link del br0; }
gone() { vdpa dev del s0 && vdpa dev del s1 && ip netns del g0 && ip netns del g1 && ip netns del sw; }

tap_plan 25
tap_check "modules" soft_setup
tap_check "its management device" eval "vdpa mgmtdev show | grep -A3 vmdev_soft"
round() {
	tap_check "$1: two devices, with drivers" two "${@:2}"
	tap_check "$1: their ports in a bridge" bridged
	tap_check "$1: one pings the host" pings g0 10.9.0.1
	tap_check "$1: the other one, too" pings g1 10.9.0.1
	tap_check "$1: large frames" pings g1 10.9.0.1 8000
	tap_check "$1: a stream from one to the other" stream g0 g1 10.9.0.3
	tap_check "$1: and from the host" stream sw g0 10.9.0.2
	ip -s -n sw link show s0
	tap_check "$1: they go" gone
}
round split mtu 9000
round packed mtu 9000 device_features 0x7300199ab
tap_check "announce: a device" announcing
tap_check "announce: its driver announces itself when the port comes up" announced
tap_check "announce: ... and again" announced
tap_check "announce: and says that it did" acknowledged
tap_check "announce: it goes" silent
tap_check "modprobe -r" modprobe -r vmdev_soft
tap_check "a clean kernel log" clean_log
tap_done
