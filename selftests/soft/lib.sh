# SPDX-License-Identifier: GPL-2.0
# Sourced by tests of vmdev_soft, after common.sh: devices, ports and what connects them.
# shellcheck shell=bash

# soft_setup [PARAMETER...]: no device yet, and nobody but us sends on a port.
soft_setup() {
	vdpa_setup && modprobe vmdev_soft "$@" || return
	[ ! -d /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
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

	for path in /sys/class/net/*/phys_port_name; do
		[ "$(cat "$path" 2>/dev/null)" != "$1" ] || basename "${path%/phys_port_name}"
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
