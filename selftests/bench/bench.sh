#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the VM, under icount: every contender in turn, a line of JSON on stdout for each figure.
# Usage: bench.sh [-r ROUNDS] [-s STANDING] [-q] [CONTENDER...]
#   -q	the slice of make check: no huge pages, no contender but ours and vp_vdpa
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh

bench=/build/selftests/bench/bench
rounds=101 standing=100000 slice=
while getopts r:s:q opt; do
	case $opt in
	r) rounds=$OPTARG ;;
	s) standing=$OPTARG ;;
	q) slice=1 ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))

fail() { echo "bench.sh: $*" >&2; exit 1; }

# measure CONTENDER ARG...
measure() {
	local contender=$1

	shift
	"$bench" -c "$contender" -r "$rounds" -s "$standing" "$@" || fail "$contender: $*"
}

# add NAME MGMTDEV: a device that vhost-vdpa serves.
add() {
	vdpa dev add name "$1" mgmtdev "$2" || fail "dev add"
	wait_for "[ -c \"\$(vhost_of $1)\" ]" 5 || fail "no vhost-vdpa device"
}

# direct CONTENDER DRIVER: a driver of virtio functions, on two VFs.
direct() {
	local name=$1 driver=$2 i
	local vfs=("$BDF_vf0_0" "$BDF_vf0_1")

	for i in 0 1; do
		bind_driver "${vfs[i]}" "$driver" || fail "cannot bind ${vfs[i]} to $driver"
	done
	measure "$name" -m "pci/${vfs[0]}" dev
	for i in 0 1; do
		add "bench$i" "pci/${vfs[i]}"
	done
	measure "$name" -d "$(vhost_of bench0)" kick doorbell interrupt open tx map
	measure "$name" -d "$(vhost_of bench0)" -p "$(vhost_of bench1)" rx
	[ -n "$slice" ] || measure "$name" -d "$(vhost_of bench0)" map-huge
	for i in 0 1; do
		vdpa dev del "bench$i" || fail "dev del"
		unbind_driver "${vfs[i]}"
	done
}

contender_vmdev() { load_vmdev && direct vmdev vmdev_pci; }
contender_vp_vdpa() { modprobe vp_vdpa && direct vp_vdpa vp-vdpa; }

contender_vdpa_sim_net() {
	modprobe vdpa_sim_net || fail "no vdpa_sim_net"
	measure vdpa_sim_net -m vdpasim_net dev
	add sim0 vdpasim_net
	measure vdpa_sim_net -d "$(vhost_of sim0)" kick tx
	# All that stands costs each time: 500 million instructions for 1024 pages.
	measure vdpa_sim_net -d "$(vhost_of sim0)" -s 1000 -r 5 map open
	vdpa dev del sim0
}

contender_vhost_net() {
	modprobe -a vhost_net tun || fail "no vhost_net"
	# Nobody but us sends on the tap.
	[ ! -d /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	measure vhost_net vhost-net
}

# ifcvf takes no function by driver_override alone: it wants ids that it knows.

contenders=("$@")
[ ${#contenders[@]} -gt 0 ] || contenders=(vmdev vp_vdpa vdpa_sim_net vhost_net)
vf_create "$BDF_pf0" 2 || fail "no VFs"
# Where there is a limit it cannot be written later; where there is none it is only a line of the log.
modprobe vhost_vdpa max_iotlb_entries=1000000 || fail "no vhost_vdpa"
[ -n "$slice" ] || echo 520 >/proc/sys/vm/nr_hugepages
for contender in "${contenders[@]}"; do
	"contender_$contender"
done
