#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The fail_* files of software devices: what each makes of a client or a driver, and that all is well after.
# lab: --vfs 0
# limit: 300
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

files=/sys/kernel/debug/vmdev_soft
# fail MGMTDEV KNOB 0|1
fail() { put "$3" "$files/$1/fail_$2"; }
add() { vdpa dev add name "$1" mgmtdev "$2" max_vqp 1 && use_bus "$1" "$3"; }
steps() { stepped "$TOOLS/steps" -d "$(vhost_of s0)" -- "$@"; }
works() { steps up=ok send=ok disable=ok enable=ok suspend=ok resume=ok reset=ok again=ok send=ok close=ok; }
# Others of its kind, on another management device.
other_works() { stepped "$TOOLS/steps" -d "$(vhost_of s1)" -- up=ok suspend=ok resume=ok reset=ok close=ok; }

# refuses KNOB ERRNO LINE WORD...: set before the client comes; with a line of ours, and one of the core's.
refuses() {
	local mark

	mark=$(dmesg_mark)
	fail f0 "$1" 1 && steps "${@:4}" && other_works && fail f0 "$1" 0 &&
		logged "$mark" 1 "vmdev_soft f0: s0: fail_$1 is set: -$2" &&
		{ [ -z "$3" ] || logged "$mark" 1 "vdpa s0: $3"; } && works
}
# Once it has memory of its own it keeps that, until its bus driver goes.
not_attached() {
	use_bus s0 vhost_vdpa && wait_for "[ -c \"\$(vhost_of s0)\" ]" 5 && refuses attach ENODEV '' up=EFAULT close=ok
}
# later_refuses KNOB ERRNO LINE WORD...: set where a step "line" is, cleared at the next one, if there is.
later_refuses() {
	local mark

	mark=$(dmesg_mark)
	steps_args "${@:4}"
	rm -f /tmp/line && mkfifo /tmp/line || return
	timeout -k 5 60 "$TOOLS/steps" -d "$(vhost_of s0)" "${STEPS[@]}" </tmp/line >/tmp/steps.log 2>&1 &
	exec 5>/tmp/line
	lines "$1" "${@:4}"
	exec 5>&-
	wait
	fail f0 "$1" 0
	steps_said "$(cat /tmp/steps.log)" "${@:4}" && logged "$mark" 1 "vmdev_soft f0: s0: fail_$1 is set: -$2" &&
		{ [ -z "$3" ] || logged "$mark" 1 "vdpa s0: $3"; } && works
}
# lines KNOB WORD...: at each step "line", when the one before it was made.
lines() {
	local knob=$1 word n=0 value=1

	shift
	for word; do
		if [ "$word" = line=ok ]; then
			wait_for "[ \$(wc -w </tmp/steps.log) -ge $n ]" 20
			fail f0 "$knob" $value
			value=$((1 - value))
			echo >&5
		fi
		n=$((n + 1))
	done
}

# --- the files ---------------------------------------------------------------------------
there() {
	[ "$(cd $files && echo *)" = 'f0 f1 vmdev_soft vmdev_soft_blk' ] &&
		[ "$(cd $files/f0 && echo *)" = 'fail_attach fail_create fail_ctrl fail_irq fail_map fail_negotiate fail_receive fail_start fail_status fail_stop fail_vq_start fail_vq_stop fail_xmit' ] &&
		[ "$(cd $files/vmdev_soft_blk && echo *)" = 'fail_attach fail_create fail_irq fail_map fail_negotiate fail_request fail_start fail_status fail_stop fail_vq_start fail_vq_stop' ]
}
booleans() {
	[ "$(cat $files/f0/fail_start)" = N ] && fail f0 start 1 && [ "$(cat $files/f0/fail_start)" = Y ] &&
		[ "$(cat $files/f1/fail_start)" = N ] && fail f0 start n && [ "$(cat $files/f0/fail_start)" = N ] &&
		not fail f0 start maybe 2>/dev/null && [ "$(stat -c %a $files/f0/fail_start)" = 600 ]
}

# --- making one --------------------------------------------------------------------------
not_made() {
	local mark answer

	mark=$(dmesg_mark)
	fail f0 create 1
	answer=$(vdpa dev add name s2 mgmtdev f0 2>&1) && return 1
	fail f0 create 0
	grep -q 'Input/output error' <<<"$answer" && logged "$mark" 1 'vmdev_soft f0: s2: fail_create is set: -EIO' &&
		vdpa dev add name s2 mgmtdev f0 max_vqp 1 && vdpa dev del s2
}

# --- drivers of the host -----------------------------------------------------------------
two_hosts() {
	vdpa dev del s0 && add s0 f0 virtio_vdpa && guest s0 g0 10.9.0.2 && wire s0 && ip addr add 10.9.0.1/24 dev wire &&
		pings g0 10.9.0.1
}
# dropped KNOB COUNTER: nothing gets through, and it is counted as dropped; then all does.
dropped() {
	local before after

	before=$(cat "/sys/class/net/$(port s0)/statistics/$2")
	fail f0 "$1" 1 && not ping -c 2 -W 1 10.9.0.2 && fail f0 "$1" 0 || return
	after=$(cat "/sys/class/net/$(port s0)/statistics/$2")
	echo "$before, then $after dropped"
	[ "$after" -gt "$before" ] && pings g0 10.9.0.1
}
# What a driver asks for by its control queue is refused, and it says so.
no_control() {
	local mark

	mark=$(dmesg_mark)
	fail f0 ctrl 1 && not ip -n g0 link set eth0 address 02:00:00:00:00:77 && fail f0 ctrl 0 &&
		[ "$(dmesg_since "$mark" | grep -c 'vmdev_soft f0: s0: fail_ctrl is set: -EIO')" -ge 1 ] &&
		ip -n g0 link set eth0 address 02:00:00:00:00:77
}
# A driver that cannot start its device is not bound, or breaks its queues, and waits for nothing.
no_driver() {
	local mark

	mark=$(dmesg_mark)
	vdpa dev del s0 && ip netns del g0 && vdpa dev add name s0 mgmtdev f0 max_vqp 1 && fail f0 start 1 || return
	use_bus s0 virtio_vdpa
	fail f0 start 0
	dmesg_since "$mark" | grep -q 'vdpa s0: DRIVER_OK refused: -EIO' && use_bus s0 vhost_vdpa && works
}

# --- disks -------------------------------------------------------------------------------
disk() { name_below /sys/bus/vdpa/devices/b0/virtio*/block/*; }
no_requests() {
	local dev mark

	vdpa dev add name b0 mgmtdev vmdev_soft_blk && use_bus b0 virtio_vdpa && wait_for "[ -b \"/dev/\$(disk)\" ]" 10 || return
	dev=/dev/$(disk)
	mark=$(dmesg_mark)
	dd if=/dev/zero of="$dev" bs=4k count=4 oflag=direct status=none && fail vmdev_soft_blk request 1 &&
		not dd if="$dev" of=/dev/null bs=4k count=1 iflag=direct &&
		not dd if=/dev/zero of="$dev" bs=1M count=1 oflag=direct && fail vmdev_soft_blk request 0 &&
		dmesg_since "$mark" | grep -q "I/O error, dev ${dev#/dev/}, sector 0 op 0x0" &&
		dd if="$dev" of=/dev/null bs=4k count=1 iflag=direct && dd if=/dev/zero of="$dev" bs=1M count=1 oflag=direct
}

# --- the end -----------------------------------------------------------------------------
# What is set goes with what it is of, and is not left to the next of its name.
forgotten() {
	fail f1 start 1 && fail f1 xmit 1 && vdpa dev del s1 && put f1 /sys/class/vmdev_soft/del_mgmtdev && [ ! -e $files/f1 ] &&
		put "net f1" /sys/class/vmdev_soft/new_mgmtdev && [ "$(cat $files/f1/fail_start)" = N ] && add s1 f1 vhost_vdpa && other_works
}
unloaded() {
	vdpa dev del s0 && vdpa dev del s1 && vdpa dev del b0 && fail f0 start 1 && modprobe -r vmdev_soft && [ ! -e $files ] &&
		modprobe vmdev_soft && vdpa dev add name s0 mgmtdev vmdev_soft max_vqp 1 && use_bus s0 vhost_vdpa && works && vdpa dev del s0 &&
		modprobe -r vmdev_soft
}

tap_plan 25
tap_check "modules" soft_setup linger_ms=600000
tap_check "management devices of their own" eval "put 'net f0' /sys/class/vmdev_soft/new_mgmtdev && put 'net f1' /sys/class/vmdev_soft/new_mgmtdev"
tap_check "files" there
tap_check "booleans" booleans
tap_check "fail_create" not_made
tap_check "two devices" eval "add s0 f0 vhost_vdpa && add s1 f1 vhost_vdpa && works"
tap_check "fail_attach" not_attached
tap_check "fail_map" refuses map ENOMEM '' up=EFAULT close=ok
tap_check "fail_negotiate" refuses negotiate EINVAL 'hardware does not take features 0x[0-9a-f]+: -EINVAL' up=EPROTO close=ok
tap_check "fail_irq" refuses irq ENOSPC 'DRIVER_OK refused: -ENOSPC' up=EPROTO reset=ok close=ok
tap_check "fail_start" refuses start EIO 'DRIVER_OK refused: -EIO' up=EPROTO reset=ok close=ok
tap_check "fail_start: of a device that was suspended" later_refuses start EIO '' up=ok suspend=ok line=ok resume=EIO line=ok resume=ok send=ok close=ok
tap_check "fail_stop" later_refuses stop ETIMEDOUT '' up=ok line=ok suspend=ETIMEDOUT status=EIO line=ok again=ok send=ok close=ok
tap_check "fail_vq_start" later_refuses vq_start EBUSY 'queue 1 cannot be enabled: -EBUSY' up=ok disable=ok line=ok enable=ok status=ok line=ok enable=ok send=ok close=ok
tap_check "fail_vq_stop" later_refuses vq_stop ETIMEDOUT '' up=ok line=ok disable=ok broken=ok line=ok again=ok send=ok close=ok
asks() {
	local mark

	mark=$(dmesg_mark)
	fail f0 status 1 && steps up=EPROTO broken=ok close=ok && fail f0 status 0 && logged "$mark" 1 'vdpa s0: hardware asks for a reset' && works
}
tap_check "fail_status" asks
tap_check "a driver of the host, and its port" two_hosts
tap_check "fail_xmit" dropped xmit tx_dropped
tap_check "fail_receive" dropped receive rx_dropped
tap_check "fail_ctrl" no_control
tap_check "fail_start: a driver of the host" no_driver
tap_check "fail_request" no_requests
tap_check "what is set goes with its management device" forgotten
tap_check "and with the module" unloaded
tap_check "a clean kernel log" clean_log
tap_done
