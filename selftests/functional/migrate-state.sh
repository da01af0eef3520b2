#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Live migration by stock QEMU of a device with a control queue and two queue pairs: addresses,
# VLANs, promiscuous mode and queue pairs that the guest set before hold on the other VF, by what
# the emulated NIC says and by which frames come through.
# lab: --queues 2
# limit: 400
# long-limit: 1200
# shellcheck source=/dev/null disable=SC2154,SC2034	# BDF_*, NESTED_*: to and from vm-lib.sh
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/migrate/lib.sh

times=2
[ "${LONG:-0}" = 0 ] || times=10
extra=52:54:00:aa:00:02 group=01:00:5e:7f:aa:05 vlan=5
nobody=52:54:00:aa:00:99 no_group=01:00:5e:7f:aa:99 no_vlan=6
netdev=,queues=2 nic=,mq=on,vectors=6 machine=(-smp 2)

# --- frames -------------------------------------------------------------------------------
frame() { ip netns exec peer "$bin"/frames eth0 "$@"; }
# came FILE LINE
came() { tr -d '\r' <"$1" | grep -aqxF "$2"; }
# tell TEXT: have the guest do it. A frame may be lost.
tell() {
	local try

	for try in 1 2 3 4 5; do
		frame "$mac" "$1"
		wait_for "came /tmp/$now.log 'DONE $1'" 10 && return
	done
	tail -n 20 "/tmp/$now.log"
	return 1
}
# sends [ADDR.VLAN] TEXT and waits for it
arrives() {
	local try

	for try in 1 2 3 4 5; do
		frame "$1" "$2"
		wait_for "came /tmp/$now.log 'FRAME $2'" 5 && return
	done
	echo "$2 to $1 did not come through"
	return 1
}

# --- what must hold -----------------------------------------------------------------------
# rx_filter PROMISCUOUS: what the emulated NIC says of the function where the guest is.
rx_filter() {
	local name=vf0.0

	[ $now = A ] || name=vf0.1
	vm_qmp "{\"execute\":\"query-rx-filter\",\"arguments\":{\"name\":\"$name\"}}" | tail -n 1 |
		python3 -c 'import json, sys
promiscuous, mac, extra, group, vlan = sys.argv[1:]
nic = json.load(sys.stdin)["return"][0]
wrong = [key for key, right in {
	"promiscuous": nic["promiscuous"] == (promiscuous == "true"),
	"main-mac": nic["main-mac"] == mac,
	"unicast-table": extra in nic["unicast-table"],
	"multicast-table": group in nic["multicast-table"],
	"multicast": nic["multicast"] == "normal",
	"vlan-table": nic["vlan-table"] in ([int(vlan)], [0, int(vlan)]),
}.items() if not right]
sys.exit(f"{wrong} of {nic}" if wrong else 0)' "$1" "$mac" "$extra" "$group" "$vlan"
}
round=0
# let_in: what may come does, and nothing else.
let_in() {
	local n=$1

	frame $nobody "no $n: another address"
	frame $no_group "no $n: another group"
	frame "$mac.$no_vlan" "no $n: another VLAN"
	arrives $extra "yes $n: second address" && arrives $group "yes $n: group" &&
		arrives "$mac.$vlan" "yes $n: VLAN" && arrives "$mac" "yes $n: own address" || return
	! grep -a "FRAME no $n" "/tmp/$now.log"
}
# Nobody's address, a group that was not asked for.
all_in() { arrives $nobody "all $1: another address" && arrives $no_group "all $1: another group"; }
# two_pairs: what the guest sends by its second processor goes out of its second pair.
two_pairs() {
	local n=$1 cpu before

	for cpu in 0 1; do
		before=$(stat_of v$now $((2 * cpu + 1)) kicks)
		tell "say $cpu pair $cpu of $n" || return
		wait_for "came /tmp/peer.log 'FRAME pair $cpu of $n'" 10 ||
			{ echo "nothing came from pair $cpu"; return 1; }
		[ "$(stat_of v$now $((2 * cpu + 1)) kicks)" -gt "$before" ] ||
			{ echo "pair $cpu was not kicked"; return 1; }
	done
}
# holds [PROMISCUOUS]: 3 tests
holds() {
	local promiscuous=${1-false}

	round=$((round + 1))
	tap_check "the NIC's filters, promiscuous $promiscuous" rx_filter "$promiscuous"
	if [ "$promiscuous" = true ]; then
		tap_check "everything comes in" all_in $round
	else
		tap_check "what was asked for comes in, nothing else" let_in $round
	fi
	tap_check "both queue pairs send" two_pairs $round
}

# --- what is run --------------------------------------------------------------------------
tap_plan $((21 + 7 * times))
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
vdpa_setup
tap_check "a device on one VF" dev_add vA "$BDF_vf0_0" vhost_vdpa mac "$mac"
tap_check "the same on another" dev_add vB "$BDF_vf0_1" vhost_vdpa mac "$mac"
tap_check "the other end of the wire" net_up "$BDF_pf0" peer 10.0.2.1
initrd 8021q
ip netns exec peer "$bin"/stream 5001 >/tmp/server.log 2>&1 &
ip netns exec peer "$bin"/frames eth0 >/tmp/peer.log 2>&1 &

now=A
qemu A
tap_check "a guest with a stream and a memory worker" works A
tap_check "it asks for an address" tell "add $extra"
tap_check "it asks for a group" tell "add $group"
tap_check "it asks for a VLAN" tell "vlan $vlan"
holds
for ((i = 1; i <= times; i++)); do
	promiscuous=false
	if [ $i = $times ]; then
		tap_check "it becomes promiscuous" tell promisc
		promiscuous=true
	fi
	there $now
	holds $promiscuous
done
tap_check "it is promiscuous no more" tell calm
incoming "$(other $now)"
tap_check "a migration is cancelled" cancelled $now
tap_check "stream and memory go on" works $now
holds
away "$(other $now)"

tap_check "QEMU quits" quit $now
cp /tmp/*.log /tmp/downtimes /out/
tap_check "dev del" eval "vdpa dev del vA && vdpa dev del vB"
tap_check "a clean kernel log" clean_log
tap_done
