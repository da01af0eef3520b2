#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Live migration by stock QEMU between two functions of the FPGA SmartNIC, then from one to a VF of
# another NIC and back, then to software, with a TCP stream and a memory worker in the guest. All of
# them are on one wire.
# lab: --queues 2 --fpga 2
# limit: 600
# long-limit: 1800
# long-kernels: 6.12 7.2 debug
# shellcheck source=/dev/null disable=SC2154,SC2034	# BDF_*, NESTED_*: to and from vm-lib.sh
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/migrate/lib.sh
. /vmdev/selftests/soft/lib.sh

times=2
[ "${LONG:-0}" = 0 ] || times=10
# VERSION_1 ACCESS_PLATFORM STATUS MRG_RXBUF MAC EVENT_IDX: what all of them have.
no_cvq=0x320018020

# The other end of the stream is the bridge itself.
uplink() {
	local pf

	pf=$(netdev_of "$BDF_pf0") && ip link set "$pf" up && ip link add wire type bridge mcast_snooping 0 &&
		ip addr add 10.0.2.1/24 dev wire && ip link set "$pf" master wire && ip link set wire up
}
# on NAME BDF, on_soft NAME: the device of that QEMU.
on() { dev_add "v$1" "$2" vhost_vdpa mac "$mac" device_features $no_cvq; }
on_soft() { soft_add "v$1" vhost_vdpa mac "$mac" device_features $no_cvq && ip link set "$(port "v$1")" master wire up; }
direct() { paths_are "$1" "direct direct"; }

tap_plan $((17 + 4 * (2 * times + 1)))
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
tap_check "modules" soft_setup
tap_check "a bridge with the PF" uplink
tap_check "an FPGA function" on A "$BDF_fpga0"
tap_check "and another" on B "$BDF_fpga1"
initrd
"$bin"/stream 5001 >/tmp/server.log 2>&1 &

now=A
qemu A
tap_check "a guest with a stream and a memory worker" works A
tap_check "its queues are direct" direct A
for ((i = 0; i < times; i++)); do
	there $now
done
tap_check "its queues are direct still" direct $now
# The one that is not used becomes one on a VF.
tap_check "the other function goes" vdpa dev del "v$(other $now)"
tap_check "a VF takes its place" on "$(other $now)" "$BDF_vf0_0"
for ((i = 0; i < times; i++)); do
	there $now
done
tap_check "back on the FPGA its queues are direct" direct $now
tap_check "the VF goes" vdpa dev del "v$(other $now)"
tap_check "a software device takes its place" on_soft "$(other $now)"
there $now

tap_check "its queues are direct there" direct $now
tap_check "QEMU quits" quit $now
cp /tmp/*.log /tmp/downtimes /out/
tap_check "dev del" eval "vdpa dev del vA && vdpa dev del vB"
tap_check "a clean kernel log" clean_log
tap_done
