#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Live migration by stock QEMU of a guest of more than 4 GiB, most of which it never used. The
# IOVAs that QEMU's shadow virtqueues have for its memory go over those of x86's interrupts.
# lab: --mem 12288 --net hub
# kernels: 6.12
# long-kernels: 6.12
# limit: 1200
# shellcheck source=/dev/null disable=SC2154,SC2034	# BDF_*, NESTED_*: to and from vm-lib.sh
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/migrate/lib.sh

machine=(-m 4608)
tap_plan 15
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
vdpa_setup
tap_check "a device on one VF" dev_add vA "$BDF_vf0_0" vhost_vdpa mac "$mac"
tap_check "the same on another" dev_add vB "$BDF_vf0_1" vhost_vdpa mac "$mac"
tap_check "the other end of the wire" net_up "$BDF_pf0" peer 10.0.2.1
initrd
ip netns exec peer "$bin"/stream 5001 >/tmp/server.log 2>&1 &

now=A
qemu A
tap_check "a guest with a stream and a memory worker" works A
for ((i = 0; i < 2; i++)); do
	there $now
done
tap_check "QEMU quits" quit $now
cp /tmp/*.log /tmp/downtimes /out/
tap_check "a clean kernel log" clean_log
tap_done
