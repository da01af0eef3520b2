#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the VM, under icount: every contender in turn, a line of JSON on stdout for each figure.
# Usage: bench.sh [-r ROUNDS] [-s STANDING] [-q] [CONTENDER...]
#   -q	the slice of make check: no GiB of huge pages
# VFs of pf0 are what most are measured on, if it is there.
# shellcheck source=/dev/null disable=SC2154,SC2153,SC2034	# BDF_*, NESTED_*: to and from vm-lib.sh
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

# add NAME MGMTDEV [ATTRIBUTE...]: a device that vhost-vdpa serves.
add() {
	vdpa dev add name "$1" mgmtdev "$2" "${@:3}" || fail "dev add"
	wait_for "[ -c \"\$(vhost_of $1)\" ]" 5 || fail "no vhost-vdpa device"
}

# --- both ends of a wire, bench0 and bench1 ---------------------------------------------------
# bind_ends DRIVER BDF BDF
bind_ends() {
	local bdf

	for bdf in "${@:2}"; do
		bind_driver "$bdf" "$1" || fail "cannot bind $bdf to $1"
	done
}
# add_ends BDF BDF [ATTRIBUTE...]: of bench0
add_ends() {
	add bench0 "pci/$1" "${@:3}"
	add bench1 "pci/$2"
}
# ends_up BDF BDF [ATTRIBUTE...]: ours.
ends_up() {
	bind_ends vmdev_pci "$1" "$2"
	add_ends "$@"
}
ends_down() {
	local i=0 bdf

	for bdf; do
		vdpa dev del "bench$i" || fail "dev del"
		unbind_driver "$bdf"
		i=$((i + 1))
	done
}

# direct CONTENDER DRIVER: a driver of virtio functions, on two VFs.
direct() {
	local name=$1

	bind_ends "$2" "${vfs[@]}"
	measure "$name" -m "pci/${vfs[0]}" dev
	add_ends "${vfs[@]}"
	measure "$name" -d "$(vhost_of bench0)" kick doorbell interrupt open tx map
	measure "$name" -d "$(vhost_of bench0)" -p "$(vhost_of bench1)" rx
	[ -n "$slice" ] || measure "$name" -d "$(vhost_of bench0)" map-huge
	ends_down "${vfs[@]}"
}

# shadow: the same with queues in shadow. The sender of what is received is direct.
shadow() {
	local dev log=/dev/vmdev/bench0

	ends_up "${vfs[@]}"
	policy bench0 shadow
	dev=$(vhost_of bench0)
	measure shadow -d "$dev" tx
	measure shadow -d "$dev" -p "$(vhost_of bench1)" rx
	measure logged -d "$dev" -l $log tx
	measure logged -d "$dev" -l $log -p "$(vhost_of bench1)" rx
	ends_down "${vfs[@]}"
}

# --- a guest, pinged from the other end of its wire --------------------------------------
guest_mac=52:54:00:be:00:02
policy() { echo "$2" >"/sys/bus/vdpa/devices/$1/vmdev/policy" || fail "no policy"; }

guest_initrd() {
	mkdir -p /tmp/overlay/bench
	cp /vmdev/selftests/bench/guest-init /tmp/overlay/bench/
	(cd /tmp/overlay && find . | cpio --quiet -o -H newc) | cat /boot/initrd - >/tmp/initrd
}

# guest_on NAME NETDEV_PROPERTIES: a guest on bench0.
guest_on() {
	local log=/tmp/$1.log

	NESTED_CMDLINE=rdinit=/bench/guest-init NESTED_NETDEV=$2 NESTED_NIC=,mac=$guest_mac
	NESTED_QEMU=(-initrd /tmp/initrd)
	nested_start "$log" "$(vhost_of bench0)" || fail "no nested guest"
	wait_for "grep -aq 'GUEST up' $log || ! kill -0 $NESTED_PID" 400
	grep -aq 'GUEST up' "$log" || fail "$1: $(tail -n 5 "$log")"
}
guest_off() {
	kill "$NESTED_PID"
	wait "$NESTED_PID"
}

# nested COMMAND...: with a wire whose one end is a guest's.
nested() {
	guest_initrd
	modprobe kvm_amd || fail "no nested KVM"
	# A virtual CPU that waits is not to be taken for one that works.
	echo 0 >/sys/module/kvm/parameters/halt_poll_ns
	ends_up "${vfs[@]}" mac $guest_mac
	"$@"
	guest_off
	ends_down "${vfs[@]}"
}
ours() {
	guest_on vmdev ""
	measure vmdev -d "$(vhost_of bench1)" -P /sys/bus/vdpa/devices/bench0/vmdev/policy nested
}
# Ours would run in shadow, too.
svq() {
	policy bench0 direct
	guest_on svq ,x-svq=on
	measure svq -d "$(vhost_of bench1)" nested
}

# suspends: how long a migration stands still for us. Queues are direct until then, or in shadow.
suspends() {
	bind_driver "${vfs[0]}" vmdev_pci || fail "cannot bind ${vfs[0]} to vmdev_pci"
	add bench0 "pci/${vfs[0]}"
	measure vmdev -d "$(vhost_of bench0)" suspend
	policy bench0 shadow
	measure shadow -d "$(vhost_of bench0)" suspend
	vdpa dev del bench0 || fail "dev del"
	unbind_driver "${vfs[0]}"
}

dirty_log() {
	modprobe vmdev_bench_log || fail "no vmdev_bench_log"
	measure vmdev log
	modprobe -r vmdev_bench_log
}

contender_vmdev() {
	load_vmdev
	direct vmdev vmdev_pci
	shadow
	suspends
	dirty_log
}
# queues: of a VF with as many as it has, what depends on that.
contender_queues() {
	load_vmdev
	suspends
}
# --- the FPGA SmartNIC: a process beside QEMU, without anybody else on its wire --------------
fpgas=("$BDF_fpga0" "$BDF_fpga1")
# of_fpga CONTENDER ARG...: of its two ends, the first being logged where that is wanted.
of_fpga() { measure "$1" -d "$(vhost_of bench0)" -p "$(vhost_of bench1)" "${@:2}"; }
direct_only=(-w /sys/bus/vdpa/devices/bench0/vmdev/paths)
# When the clients sleep the clock does not wait for that process: so nobody sleeps.
fpga_packets() {
	of_fpga "$1" "${direct_only[@]}" "${@:2}" -o tx-poll tx
	of_fpga "$1" "${direct_only[@]}" "${@:2}" -o rx-poll rx
}
fpga_memory=1024
[ -z "$slice" ] || fpga_memory=16
# fpga_costs CONTENDER ARG...: suspension, and the log; what hardware was told for it, too.
fpga_costs() {
	of_fpga "$1" -a "/sys/bus/pci/devices/${fpgas[0]}/config" "${@:2}" suspend
	of_fpga "$1" -a "/sys/bus/pci/devices/${fpgas[0]}/config" -l /dev/vmdev/bench0 \
		-b "$fpga_memory" "${@:2}" dirty
}
contender_fpga() {
	load_vmdev
	ends_up "${fpgas[@]}"
	fpga_packets fpga
	# Under policy auto they would go to shadow if hardware did not log.
	fpga_packets fpga_logged -l /dev/vmdev/bench0
	fpga_costs fpga "${direct_only[@]}"
	ends_down "${fpgas[@]}"
}
# With virtio 1.4's SUSPEND instead of the LM block: queues that are logged go to shadow.
contender_fpga_suspend() {
	load_vmdev
	ends_up "${fpgas[@]}"
	fpga_costs fpga_suspend
	ends_down "${fpgas[@]}"
}
contender_guest-vmdev() {
	load_vmdev
	nested ours
}
contender_guest-svq() {
	load_vmdev
	nested svq
}
contender_vp_vdpa() { modprobe vp_vdpa && direct vp_vdpa vp-vdpa; }

contender_vdpa_sim_net() {
	modprobe vdpa_sim_net || fail "no vdpa_sim_net"
	measure vdpa_sim_net -m vdpasim_net dev
	memory vdpa_sim_net vdpasim_net
	add sim0 vdpasim_net
	measure vdpa_sim_net -d "$(vhost_of sim0)" kick tx
	# All that stands costs each time: 500 million instructions for 1024 pages.
	measure vdpa_sim_net -d "$(vhost_of sim0)" -s 1000 -r 5 map open
	vdpa dev del sim0
}

# quiet_network: nobody but us sends on interfaces that come; and one that drops what it is given.
quiet_network() {
	[ ! -d /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	[ ! -e /sys/class/net/benchnull ] || return 0
	{ modprobe dummy numdummies=0 && ip link add benchnull type dummy && ip link set benchnull up; } ||
		fail "no dummy interface"
}

contender_vhost_net() {
	modprobe -a vhost_net tun || fail "no vhost_net"
	quiet_network
	measure vhost_net vhost-net
}

# A device in user space of ours, between the driver and a tap.
contender_vduse() {
	local log=/tmp/vduse.log

	modprobe -a vduse tun || fail "no vduse"
	quiet_network
	/build/selftests/bench/vduse_net vduse0 vdusetap >$log &
	vduse=$!
	wait_for "grep -q READY $log" 5 || fail "no vduse_net"
	ip link set vdusetap up || fail "no tap"
	add vduse0 vduse
	measure vduse -d "$(vhost_of vduse0)" -i vdusetap tx host-rx gso
	vdpa dev del vduse0 || fail "dev del"
	kill $vduse
}

# port_of NAME: the interface that is the port of a device
port_of() {
	local path

	for path in /sys/class/net/*/phys_port_name; do
		[ "$(cat "$path" 2>/dev/null)" != "$1" ] || basename "${path%/phys_port_name}"
	done
}

# memory CONTENDER MGMTDEV: what the machine has less, when nobody uses its devices.
mem_free() { sed -n 's/^MemFree: *\([0-9]*\) kB$/\1/p' /proc/meminfo; }
memory() {
	local i n=64 before bytes

	add mem0 "$2"
	echo 3 >/proc/sys/vm/drop_caches
	before=$(mem_free)
	for ((i = 1; i <= n; i++)); do
		vdpa dev add name "mem$i" mgmtdev "$2" || fail "dev add"
	done
	echo 3 >/proc/sys/vm/drop_caches
	bytes=$(((before - $(mem_free)) * 1024 / n))
	for ((i = 0; i <= n; i++)); do
		vdpa dev del "mem$i" || fail "dev del"
	done
	echo "{\"contender\": \"$1\", \"case\": \"memory\", \"median\": $bytes, \"low\": $bytes," \
		"\"high\": $bytes, \"rounds\": $n}"
}

contender_soft() {
	local mgmt dev

	load_vmdev vmdev_soft
	quiet_network
	mgmt=$(vdpa mgmtdev show | sed -n 's/^\(.*vmdev_soft\): *$/\1/p')
	measure soft -m "$mgmt" dev
	memory soft "$mgmt"
	add soft0 "$mgmt"
	dev=$(vhost_of soft0)
	ip link set "$(port_of soft0)" up || fail "no port"
	measure soft -d "$dev" kick tx
	measure soft -d "$dev" -i "$(port_of soft0)" host-rx gso
	measure soft -d "$dev" open
	vdpa dev del soft0 || fail "dev del"
}

# block CONTENDER MGMTDEV
block() {
	add blk0 "$2"
	measure "$1" -d "$(vhost_of blk0)" blk
	vdpa dev del blk0 || fail "dev del"
}
contender_vdpa_sim_blk() {
	modprobe vdpa_sim_blk || fail "no vdpa_sim_blk"
	block vdpa_sim_blk vdpasim_blk
}
contender_soft_blk() {
	load_vmdev vmdev_soft
	block soft_blk vmdev_soft_blk
}

# ifcvf takes no function by driver_override alone: it wants ids that it knows.

vfs=("$BDF_vf0_0" "$BDF_vf0_1")
contenders=("$@")
[ ${#contenders[@]} -gt 0 ] || contenders=(vmdev vp_vdpa vdpa_sim_net vhost_net vduse soft)
[ -z "$BDF_pf0" ] || vf_create "$BDF_pf0" 2 || fail "no VFs"
# Where there is a limit it cannot be written later; where there is none it is only a line of the log.
modprobe vhost_vdpa max_iotlb_entries=1000000 || fail "no vhost_vdpa"
# What the kernel leaves for later is done at once, whatever we do meanwhile.
# So is what it does in a thread of its own while we wait for that.
for thread in ksoftirqd/0 kdevtmpfs; do
	chrt -f -p 1 "$(pgrep -x $thread)" || fail "no $thread"
done
# One for each end of a wire; and a GiB, or 16 MiB.
if [ -n "$slice" ]; then echo 12; else echo 524; fi >/proc/sys/vm/nr_hugepages
for contender in "${contenders[@]}"; do
	"contender_$contender"
done
