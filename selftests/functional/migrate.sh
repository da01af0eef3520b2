#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Live migration by stock QEMU, between two VFs, with a TCP stream and a memory worker in the
# guest; back and forth, and cancelled.
# lab: --queues 2
# limit: 400
# long-limit: 1200
# long-kernels: 6.12 7.2 debug
# shellcheck source=/dev/null disable=SC2154,SC2034	# BDF_*, NESTED_*: to and from vm-lib.sh
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/migrate/lib.sh

times=2 failures=0
[ "${LONG:-0}" = 0 ] || times=10 failures=2
# VERSION_1 ACCESS_PLATFORM STATUS MRG_RXBUF MAC EVENT_IDX
no_cvq=0x320018020

# --- what is run --------------------------------------------------------------------------
tap_plan $((14 + 4 * times + failures))
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
vdpa_setup
tap_check "a device on one VF" dev_add vA "$BDF_vf0_0" vhost_vdpa mac "$mac" device_features $no_cvq
tap_check "the same on another" dev_add vB "$BDF_vf0_1" vhost_vdpa mac "$mac" device_features $no_cvq
tap_check "the other end of the wire" net_up "$BDF_pf0" peer 10.0.2.1
initrd
ip netns exec peer "$bin"/stream 5001 >/tmp/server.log 2>&1 &

now=A
qemu A
tap_check "a guest with a stream and a memory worker" works A
tap_check "its queues are direct" paths_are A "direct direct"
for ((i = 0; i < times; i++)); do
	there $now
done
tap_check "where a ring goes on, its queue is in shadow" paths_are $now "shadow shadow"

tap_check "stop, and cont" stop_cont $now
echo "# queues: $(paths $now)"
tap_check "stream and memory go on" works $now

# After these QEMU 11.1 stays on shadow virtqueues of its own. At the next stop and cont it goes back to
# the guest's rings, but gives the guest's call eventfds to those that it had: no device is told any
# after its reset, and the guest waits for ever. So nothing like that is asked of it from here on.
incoming "$(other $now)"
tap_check "a migration is cancelled" cancelled $now
tap_check "stream and memory go on" works $now
echo "# queues: $(paths $now)"
away "$(other $now)"
if [ $failures != 0 ]; then
	incoming "$(other $now)"
	tap_check "the other side of a migration dies" failed $now
	tap_check "stream and memory go on" works $now
	away "$(other $now)"
fi

tap_check "QEMU quits" quit $now
cp /tmp/*.log /tmp/downtimes /out/
tap_check "dev del" eval "vdpa dev del vA && vdpa dev del vB"
tap_check "a clean kernel log" clean_log
tap_done
