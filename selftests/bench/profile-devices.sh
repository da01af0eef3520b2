# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Sourced by profile.sh.
port_of() {
	local path

	for path in /sys/class/net/*/phys_port_name; do
		[ "$(cat "$path" 2>/dev/null)" != "$1" ] || basename "${path%/phys_port_name}"
	done
}
# profile_device CONTENDER CASE: arguments of bench in device.
profile_device() {
	if [ ! -e /sys/class/net/benchnull ]; then
		echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null
		modprobe dummy numdummies=0 && ip link add benchnull type dummy && ip link set benchnull up
	fi
	case $1 in
	soft)
		if [ ! -e /sys/bus/vdpa/devices/soft0 ]; then
			load_vmdev vmdev_soft
			vdpa dev add name soft0 mgmtdev vmdev_soft || fail "dev add"
			wait_for "[ -c \"\$(vhost_of soft0)\" ]" 5
			ip link set "$(port_of soft0)" up
		fi
		device=(-d "$(vhost_of soft0)" -i "$(port_of soft0)" tx)
		[[ $2 != *-gso-* ]] || device=(-d "$(vhost_of soft0)" -i "$(port_of soft0)" gso)
		[[ $2 != rx-[ps]* ]] || device=(-d "$(vhost_of soft0)" -i "$(port_of soft0)" host-rx)
		;;
	vhost_net)
		modprobe -a vhost_net tun
		device=(vhost-net)
		;;
	esac
}
