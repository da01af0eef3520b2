#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Live migration by stock QEMU between two software devices, then from one to a VF and back, with
# a TCP stream and a memory worker in the guest. All of them are at one bridge, with the PF.
# lab: --queues 2
# limit: 500
# long-limit: 1500
# long-kernels: 6.12 7.2 debug
# shellcheck source=/dev/null disable=SC2154,SC2034	# BDF_*, NESTED_*: to and from vm-lib.sh
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/migrate/lib.sh
. /vmdev/selftests/soft/lib.sh

times=2
[ "${LONG:-0}" = 0 ] || times=10

tap_plan $((13 + 8 * times))
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
tap_check "modules" soft_setup
tap_check "a bridge with the PF" bridged
tap_check "a software device" on_soft A
tap_check "and another" on_soft B
initrd
"$bin"/stream 5001 >/tmp/server.log 2>&1 &

now=A
qemu A
tap_check "a guest with a stream and a memory worker" works A
tap_check "its queues are direct" paths_are A "direct direct"
for ((i = 0; i < times; i++)); do
	there $now
done
tap_check "its queues are direct still" paths_are $now "direct direct"
# The one that is not used becomes one on a VF.
tap_check "the other device goes" vdpa dev del "v$(other $now)"
tap_check "a VF takes its place" on_function "$(other $now)" "$BDF_vf0_0"
for ((i = 0; i < times; i++)); do
	there $now
done

tap_check "QEMU quits" quit $now
cp /tmp/*.log /tmp/downtimes /out/
tap_check "dev del" eval "vdpa dev del vA && vdpa dev del vB"
tap_check "a clean kernel log" clean_log
tap_done
