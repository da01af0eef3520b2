#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Queues change paths under traffic, and devices are suspended under it: no write of a disk is lost or
# done twice, no packet, no stream. Hardware that knows the state of its rings goes both ways at once:
# that is a module of ours (selftests/soft_hw). Queues of a VF go to shadow at once, and back when their
# ring begins anew.
# lab: --net hub --blk 1
# limit: 600
# long-limit: 3600
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154,SC2034	# BDF_* come from lab-run; GUEST_QEMU goes to lib.sh
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/switch/lib.sh

bin=/build/selftests/switch
moves=60 suspends=100 stops=8 laps=2 home=0 pause=5000
[ "${LONG:-0}" = 0 ] || moves=2500 suspends=1000 stops=100 laps=100 home=4 pause=500
# VERSION_1 ACCESS_PLATFORM EVENT_IDX; SEG_MAX FLUSH MQ of disks; MAC STATUS of NICs
blk=0x320001204 net=0x320010020
# RING_PACKED INDIRECT_DESC
packed=0x410000000
# VERSION_1 ACCESS_PLATFORM EVENT_IDX STATUS MRG_RXBUF MAC
vf=0x320018020
with() { printf '%#x' $(($1 | $2)); }

fault() { echo "$1" >/sys/module/vmdev_soft_hw/parameters/fault; }

# --- a driver of our own --------------------------------------------------------------------
# wrote CMD...: run it; how often it says it wrote.
wrote() { "$@" | tee /dev/stderr | sed -n 's/^WRITES //p'; }
# counted COUNTER CMD...: what CMD says it wrote is what COUNTER, a command, counted meanwhile.
counted() {
	local counter=$1 before said n

	shift
	before=$($counter)
	said=$(wrote "$@")
	n=$(($($counter) - before))
	echo "wrote $said times, disk $n times"
	[ "$said" = $n ]
}
real_writes() { disk_count blk0; }
soft_writes() { soft_count soft-blk0 writes; }
# Faults that the client, or the count, has to find.
found() {
	fault "$1"
	"${@:2}"
	local status=$?
	fault 0
	return $status
}
lost() { "$bin/writes" 20 "$(vhost_of b0)" | grep 'FAILED a sector'; }
twice() { ! counted soft_writes "$bin/writes" 20 "$(vhost_of b0)"; }
# wire [ATTR...]: two NICs for drivers of our own; what the first one sends is in shadow.
wire() {
	soft n0 soft-net0 vhost_vdpa "$@" && soft n1 soft-net1 vhost_vdpa "$@" && policy n0 shadow
}
paced() { "$bin/paced" "$@" "$(vhost_of n0)" "$(vhost_of n1)"; }
no_fault() { [ "$(soft_count soft-blk0 faults)$(soft_count soft-net0 faults)$(soft_count soft-net1 faults)" = 000 ]; }

own_driver() {
	tap_check "suspended under writes, on the way to shadow and back" \
		counted soft_writes "$bin/writes" -m b0 $suspends "$(vhost_of b0)"
	tap_check "the same with packed rings" \
		counted soft_writes "$bin/writes" -p -m b0 $suspends "$(vhost_of b0)"
}

soft_load() {
	modprobe vmdev_soft_hw caps="$1" || return
	soft b0 soft-blk0 vhost_vdpa device_features "$(with $blk $packed)"
}
soft_unload() { for name; do vdpa dev del "$name" || return; done; modprobe -r vmdev_soft_hw; }

# --- two VFs -------------------------------------------------------------------------------
two_vfs() {
	vf_create "$BDF_pf0" 2 && dev_add v0 "$BDF_vf0_0" vhost_vdpa && dev_add v1 "$BDF_vf0_1" vhost_vdpa
}
lapped() {
	local said

	said=$("$bin/laps" $laps v0 "$(vhost_of v0)" v1 "$(vhost_of v1)")
	echo "$said"
	[[ $said == *' LOST 0 '* ]]
}
# vf_of_guest: v0 is for a guest, and the other end of its wire is a netdev in the namespace peer1.
vf_of_guest() {
	vdpa dev del v0 && vdpa dev del v1 && dev_add v0 "$BDF_vf0_0" vhost_vdpa device_features $vf &&
		release_driver "$BDF_vf0_1" && net_up "$BDF_vf0_1" peer1 10.0.3.1
}

# --- a guest --------------------------------------------------------------------------------
peer_up() {
	local netdev

	wait_for "[ -e /sys/devices/platform/soft-net1/virtio*/net/* ]" 5 || return
	netdev=$(name_below /sys/devices/platform/soft-net1/virtio*/net/*)
	ip netns add peer 2>/dev/null
	ip link set "$netdev" netns peer name eth0 && ip -n peer addr add 10.0.2.1/24 dev eth0 &&
		ip -n peer link set eth0 up
}
# guest_devices FEATURES: a disk and a NIC of the soft hardware, whose other end is in the namespace.
guest_devices() {
	modprobe vmdev_soft_hw && soft b0 soft-blk0 vhost_vdpa device_features "$(with $blk "$1")" &&
		soft n0 soft-net0 vhost_vdpa device_features "$(with $net "$1")" &&
		soft n1 soft-net1 virtio_vdpa && peer_up
}
counters() { stat_of n0 0 interrupts; stat_of n0 0 kicks; stat_of n0 1 interrupts; stat_of n0 1 kicks; }
# Interrupts of either queue, and kicks of the one that sends, go on in the same counters.
counters_grew() {
	local before after

	mapfile -t before </tmp/counters
	mapfile -t after < <(counters)
	echo "from ${before[*]} to ${after[*]}"
	[ "${after[0]}" -gt "${before[0]}" ] && [ "${after[1]}" -ge "${before[1]}" ] &&
		[ "${after[2]}" -ge "${before[2]}" ] && [ "${after[3]}" -gt "${before[3]}" ]
}
# drops: frames sent to an end of the wire that did not run. None may be when queues move.
drops() { echo "$(soft_count soft-net0 dropped) $(soft_count soft-net1 dropped)"; }
vf_logged() { all_are v0 direct && "$bin/moves" -o 1 v0 && all_are v0 shadow; }
moved() { "$bin/moves" $moves b0 n0; }
stop_and_cont() {
	local i

	for ((i = 0; i < stops; i++)); do
		qmp stop >/dev/null && qmp cont >/dev/null || return
	done
}

# switched WHAT: the guest is up, its first disk and NIC are b0 and n0.
switched() {
	tap_check "$1: fio and a stream" goes_on vda eth0
	tap_check "they are direct" eval "all_are b0 direct && all_are n0 direct"
	counters >/tmp/counters
	drops >/tmp/drops
	tap_check "$((2 * moves)) moves of each" moved
	tap_check "fio and the stream go on" goes_on vda eth0
	tap_check "no frame was dropped meanwhile" [ "$(drops)" = "$(cat /tmp/drops)" ]
	tap_check "interrupts and kicks were counted on" counters_grew
}
ended() {
	tap_check "fio comes to its end" guest_ends
	tap_check "its writes are those of its disk" writes_agree vda "$(soft_writes)"
}

# --- what is run ----------------------------------------------------------------------------
tap_plan $((50 + (home > 0)))
vdpa_setup
tap_check "a disk" dev_add r0 "$BDF_blk0" vhost_vdpa
tap_check "it is suspended under writes" counted real_writes "$bin/writes" $suspends "$(vhost_of r0)"
tap_check "hardware that has to be reset as a whole" soft_load 1
own_driver
tap_check "goes" soft_unload b0
tap_check "hardware that resets one queue" soft_load 9
own_driver
tap_check "a write that is lost is found" found 1 lost
tap_check "a write that is done twice is counted" found 2 twice
tap_check "two ends of a wire, one in shadow" wire device_features "$(with $net $packed)"
tap_check "kicks are asked for again if hardware takes its time" paced
tap_check "the same with packed rings" paced -p
tap_check "goes" soft_unload n1 n0 b0

tap_check "two VFs" two_vfs
tap_check "$laps times to shadow, and direct when the ring begins anew" lapped
tap_check "one of them is for a guest" vf_of_guest
guest_initrd
tap_check "a disk and two ends of a wire" guest_devices 0
serve peer 0
serve peer1 1
writes_before=$(real_writes)
GUEST="switch.mtu=400 switch.pause=$pause"
guest_start "$(vhost_of b0)" "$(vhost_of n0)" "$(vhost_of r0)" "$(vhost_of v0)"
switched "split rings"
tap_check "the VF's queues are in shadow while it is logged" vf_logged
tap_check "its stream goes on" goes_on eth1
[ $home = 0 ] || tap_check "$home times to shadow, and direct when the ring begins anew" \
	"$bin/moves" -w 900 $home v0

tap_check "$stops times stop, and cont" stop_and_cont
tap_check "fio, on either disk, and the streams go on" goes_on vda vdb eth0 eth1
ended
tap_check "so are those of the disk that runs in shadow" writes_agree vdb "$(($(real_writes) - writes_before))"
tap_check "QEMU has no complaint" no_complaint
guest_quit
tap_check "goes" soft_unload n1 n0 b0

GUEST=switch.pause=$pause GUEST_QEMU=(-global virtio-pci.packed=on)
tap_check "the same" guest_devices $packed
serve peer 0
guest_start "$(vhost_of b0)" "$(vhost_of n0)"
switched "packed rings"
tap_check "they are packed" [ "$(said PACKED vda) $(said PACKED eth0)" = "1 1" ]
ended
tap_check "no frame was lost or came twice" eval "counts_agree eth0 peer eth0 $(drops)"
tap_check "QEMU has no complaint" no_complaint
guest_quit
tap_check "no access to memory that was not the guest's" no_fault
cp /tmp/*.log /out/
tap_check "goes" soft_unload n1 n0 b0
tap_check "dev del" eval "vdpa dev del r0 && vdpa dev del v0"
tap_check "a clean kernel log" clean_log
tap_done
