#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Live migration by stock QEMU of a guest that used its control queue: addresses, VLANs,
# promiscuous mode and queue pairs that it set before are in force where it goes to.
# lab: --queues 2
# limit: 500
# long-limit: 1500
# kernels: 6.12 7.2 debug
# long-kernels: 6.12 7.2 debug
# shellcheck source=/dev/null disable=SC2154,SC2034	# BDF_*, NESTED_*: to and from vm-lib.sh
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/migrate/lib.sh

times=2
[ "${LONG:-0}" = 0 ] || times=10
netdev=,queues=2 nic=,mq=on,vectors=6 machine=(-smp 2)
broadcast=ff:ff:ff:ff:ff:ff
unicast=52:54:00:bb:00:01 multicast=01:00:5e:00:00:77 stranger=52:54:00:cc:00:01 vlan=7

# --- frames to and from the guest ---------------------------------------------------------
shout() { ip netns exec peer "$bin/frames" eth0 "$@"; }
# heard NAME TEXT: the guest heard a frame.
heard() { grep -aq "^FRAME $2"$'\r*$' "/tmp/$1.log"; }
# tell NAME COMMAND...: the guest does so.
tell() {
	local name=$1

	shift
	shout $broadcast "$*" || return
	wait_for "grep -aqE '^(DONE|FAILED) $*' /tmp/$name.log" 60
	grep -aq "^DONE $*" "/tmp/$name.log"
}
# serial: a number that was never said. In a file, what tap_check runs is a subshell.
serial() {
	local n

	n=$(($(cat /tmp/serial 2>/dev/null || echo 0) + 1))
	echo $n >/tmp/serial
	echo $n
}
# hears NAME ADDR: a frame to that address gets to the guest. Broadcasts do anyhow.
hears() {
	local text

	text="frame $(serial)"
	shout "$2" "$text" && wait_for "heard $1 '$text'" 60
}
# deaf NAME ADDR: it does not, while one that is sent later does.
deaf() {
	local text

	text="frame $(serial)"
	shout "$2" "$text" && hears "$1" "$mac" && ! heard "$1" "$text"
}
# says NAME CPU: a frame that the guest sends from there gets out.
says() {
	local text

	text="word $(serial)"
	shout $broadcast "say $2 $text" && wait_for "grep -q '^FRAME $text' /tmp/ear.log" 60
}

# --- what is in force ----------------------------------------------------------------------
promisc=calm
# The emulated NIC looks at VLANs only where it looks at addresses.
strangers() {
	if [ $promisc = promisc ]; then
		hears "$1" $stranger && hears "$1" "$mac.9"
	else
		deaf "$1" $stranger && deaf "$1" "$mac.9"
	fi
}
filters() {
	hears "$1" "$mac" && hears "$1" $unicast && hears "$1" $multicast && hears "$1" "$mac.$vlan"
}
pairs() { says "$1" 0 && says "$1" 1; }
in_force() {
	tap_check "addresses and the VLAN that it asked for are let in" filters "$now"
	tap_check "so are a stranger's and another VLAN, or not: $promisc" strangers "$now"
	tap_check "both queue pairs send" pairs "$now"
}

tap_plan $((15 + 8 * times))
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
vdpa_setup
tap_check "a device on one VF" dev_add vA "$BDF_vf0_0" vhost_vdpa mac "$mac"
tap_check "the same on another" dev_add vB "$BDF_vf0_1" vhost_vdpa mac "$mac"
tap_check "the other end of the wire" net_up "$BDF_pf0" peer 10.0.2.1
initrd 8021q
ip netns exec peer "$bin"/stream 5001 >/tmp/server.log 2>&1 &
ip netns exec peer "$bin"/frames eth0 >/tmp/ear.log 2>&1 &

now=A
qemu A
tap_check "a guest with a stream and a memory worker" works A
tap_check "the core serves its control queue" paths_are A "direct direct direct direct software"
tap_check "it adds an address of a station, and of a group" \
	eval "tell A add $unicast && tell A add $multicast"
tap_check "it adds a VLAN" tell A vlan $vlan
in_force
for ((i = 0; i < times; i++)); do
	if [ $promisc = calm ]; then promisc=promisc; else promisc=calm; fi
	tap_check "it turns: $promisc" tell $now $promisc
	there $now
	in_force
done
incoming "$(other $now)"
tap_check "a migration is cancelled" cancelled $now
tap_check "stream and memory go on" works $now
away "$(other $now)"
tap_check "QEMU quits" quit $now
cp /tmp/*.log /tmp/downtimes /out/
tap_check "a clean kernel log" clean_log
tap_done
