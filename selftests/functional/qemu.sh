#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Stock QEMU on a VF: start, reset, stop; doorbells that are mapped into its guest, and
# firmware that takes the device before the guest's kernel does.
# lab: --net user --prop page-per-vq=on
# limit: 1000
# long-kernels: 6.12 debug
# shellcheck source=/dev/null disable=SC2154,SC2034	# BDF_*, NESTED_*: to and from vm-lib.sh
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

log=/tmp/nested.log monitor=/tmp/monitor
complaints='ring restore failed|set_vring_base failed|falling back|vhost.*(fail|error)|Unable'

# --- a guest that pings for ever ---------------------------------------------------------
# start NIC_PROPERTIES
start() {
	rm -f $monitor.in $monitor.out
	mkfifo $monitor.in $monitor.out
	NESTED_CMDLINE=vmdev.run=idle NESTED_NIC=$1
	NESTED_QEMU=(-action "reboot=reset" -chardev "pipe,id=monitor,path=$monitor"
		-object "monitor-hmp,id=hmp,chardev=monitor")
	nested_start $log "$(vhost_of vdpa0)"
	cat $monitor.out >$monitor.log &
}
# KVM on emulated SVM fails to emulate an instruction of its guest now and then, or to deliver an
# interrupt to it, and QEMU prints registers: that guest is begun anew, for it was not the device.
gave_up() { grep -aq 'RIP=' $log; }
another() {
	grep -a -B4 -A1 'RAX=' $log | sed 's/^/# another guest, for this one had: /'
	kill "$NESTED_PID"
	wait "$NESTED_PID"
	start "$1"
}
# guest NIC_PROPERTIES, reset NIC_PROPERTIES: not in tap_check, it goes on in the background.
guest() {
	start "$1"
	wait_for "gave_up || [ -n \"\$(life 1)\" ] || ! kill -0 $NESTED_PID" 200
	! gave_up || another "$1"
}
reset() {
	tell system_reset
	wait_for "gave_up || in_a_row 2 3 || ! kill -0 $NESTED_PID" 200
	gave_up || return
	another "$1"
	wait_for "in_a_row 1 3 || ! kill -0 $NESTED_PID" 200 && tell system_reset
}
tell() { kill -0 "$NESTED_PID" && echo "$1" >$monitor.in; }
# life N: what the guest said after it came up for the Nth time.
life() { awk -v n="$1" '/NESTED: up/ {up++} up == n' $log; }
# in_a_row LIFE COUNT: the last pings were answered. Not all: one may be late on a slow host.
in_a_row() { [ "$(life "$1" | grep ' idle ' | tail -n "$2" | grep -c ' up')" = "$2" ]; }
pings() {
	wait_for "in_a_row $1 $2 || ! kill -0 $NESTED_PID" 200
	in_a_row "$1" "$2" && return
	! kill -0 "$NESTED_PID" || [ -n "$(life "$1")" ] || echo "nested guest: time limit"
	nested_died
	tail -n 20 $log
	return 1
}
# ended: QEMU left by itself, as it was told.
ended() {
	tell "$1"
	wait_for "! kill -0 $NESTED_PID 2>/dev/null" 30
}
no_complaint() { ! grep -E "$complaints" $log; }
stopped() {
	tell stop && tell "info status" && wait_for "grep -aq 'VM status: paused' $monitor.log" 60
}

# --- doorbells --------------------------------------------------------------------------
# kicks: through the kernel, by the transmit queue.
kicks() { stat_of vdpa0 1 kicks; }
# One ping a second, each with a kick. The counters are never set back.
counted() { local n; n=$(kicks); echo "$n kicks"; [ "$n" -ge 5 ]; }
not_counted() {
	local before n

	before=$(kicks)
	wait_for "[ \$(life 1 | grep -c up) -ge 15 ]" 200 && pings 1 5 || return
	n=$(kicks)
	echo "$before, then $n kicks"
	[ "$n" -le $((before + 1)) ]
}

# --- firmware ---------------------------------------------------------------------------
# iPXE, from QEMU's default option ROM, leaves the control queue alone: QEMU then enables
# queues before it sets features.
firmware() {
	qemu-system-x86_64 -accel kvm -cpu max -M q35,graphics=off -m 256 -nodefaults \
		-display none -no-reboot -serial file:$log -boot n \
		-netdev "vhost-vdpa,id=n,vhostdev=$(vhost_of vdpa0)" \
		-device virtio-net-pci,netdev=n >/tmp/firmware.log 2>&1 </dev/null &
	NESTED_PID=$!
}
has_address() {
	wait_for "grep -aq 'net0: 10.0.2.15' $log || ! kill -0 $NESTED_PID" 200
	grep -aq 'net0: 10.0.2.15' $log && return
	nested_silent net0 "$NESTED_PID" $log
	tail -n 20 $log /tmp/firmware.log
	return 1
}
firmware_content() {
	kill "$NESTED_PID"
	wait "$NESTED_PID"
	! grep -E "$complaints" /tmp/firmware.log
}

tap_plan 19
mark=$(dmesg_mark)
vdpa_setup
vf_create "$BDF_pf0" 2
tap_check "a VF for vhost-vdpa" dev_add vdpa0 "$BDF_vf0_0" vhost_vdpa

guest ""
tap_check "a stock QEMU guest pings" pings 1 5
tap_check "its kicks come through the kernel" counted
reset ""
tap_check "it is reset, and pings again" pings 2 3
tap_check "it is stopped" stopped
tap_check "QEMU quits" ended quit
tap_check "without a complaint" no_complaint

guest ,page-per-vq=on
tap_check "a guest with a page for each doorbell pings" pings 1 5
tap_check "its kicks go to the hardware" not_counted
reset ,page-per-vq=on
tap_check "it is reset, and pings again" pings 2 3
tap_check "QEMU quits" ended quit
tap_check "without a complaint" no_complaint

firmware
tap_check "firmware gets an address by DHCP" has_address
tap_check "QEMU has no complaint" firmware_content
guest ""
tap_check "a guest after that pings" pings 1 3
tap_check "QEMU quits" ended quit
tap_check "dev del" vdpa dev del vdpa0
# The VM's own QEMU says so, and lab-run keeps what it says.
tap_check "no 0 was written to queue_enable" \
	eval "[ -e /out/qemu.log ] && ! grep 'wrong value for queue_enable' /out/qemu.log"
tap_check "a clean kernel log" clean_log "$mark"
tap_done
