#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Live migration by stock QEMU between two functions of the FPGA SmartNIC, then from one to a VF of
# another NIC and back, then to software and back, and two that come to nothing, with a TCP stream and
# a memory worker in the guest. All of them are on one wire.
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
direct() { paths_are "$1" "direct direct"; }

tap_plan $((24 + 4 * (2 * times + 2)))
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
tap_check "modules" soft_setup
tap_check "a bridge with the PF" bridged
tap_check "an FPGA function" on_function A "$BDF_fpga0"
tap_check "and another" on_function B "$BDF_fpga1"
initrd
"$bin"/stream 5001 >/tmp/server.log 2>&1 &

now=A
qemu A
tap_check "a guest with a stream and a memory worker" works A
tap_check "its queues are direct" direct A
tap_untouched "from now on it is looked which packets the core handles" shadow_trace
for ((i = 0; i < times; i++)); do
	there $now
done
tap_untouched "none, in all that time" shadow_traced
tap_check "its queues are direct still" direct $now
# The one that is not used becomes one on a VF.
tap_check "the other function goes" vdpa dev del "v$(other $now)"
tap_check "a VF takes its place" on_function "$(other $now)" "$BDF_vf0_0"
for ((i = 0; i < times; i++)); do
	there $now
done
tap_check "back on the FPGA its queues are direct" direct $now
tap_check "the VF goes" vdpa dev del "v$(other $now)"
tap_check "a software device takes its place" on_soft "$(other $now)"
there $now

tap_check "its queues are direct there" direct $now
there $now
# See migrate.sh for what QEMU does after these.
for how in cancelled failed; do
	incoming "$(other $now)"
	tap_check "a migration from the FPGA is $how" $how $now
	tap_check "stream and memory go on" works $now
	away "$(other $now)"
done
tap_check "its queues are direct still" direct $now
tap_check "QEMU quits" quit $now
cp /tmp/*.log /tmp/downtimes /out/
tap_check "dev del" eval "vdpa dev del vA && vdpa dev del vB"
tap_check "a clean kernel log" clean_log
tap_done
