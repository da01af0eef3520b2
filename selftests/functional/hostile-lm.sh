#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A live-migration block that lies (faults of selftests/model): whatever it says of ring states and of
# its log, no write is lost without a word, nothing waits without end, and nothing is written where it must
# not be. Either the device goes on, in shadow perhaps, or it needs a reset, and a line says why; once
# the block is honest again all works.
# lab: --pfs 0 --fpga 6 --queues 2 --fpga-arg '--lm 2=none --lm 3=small --lm 4=io --lm 5=shared'
# limit: 400
# long-limit: 600
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

a=$BDF_fpga0 b=$BDF_fpga1
model_log=/out/vfio-user.log
programs=6 seconds=0
[ "${LONG-0}" != 1 ] || seconds=$((${LONG_MINUTES:-30} * 60))
us='(vmdev_pci|vmdev|vdpa) ([0-9a-f:.]+|v0): '
# VERSION_1 ACCESS_PLATFORM EVENT_IDX INDIRECT_DESC STATUS MRG_RXBUF MAC
net=0x330018020

# See enum fpga_fault (selftests/model/model.h).
log_deaf=0x2 log_off=0x4 ones=0x80 state_deaf=0x20 enable_stuck=0x100 state_ignored=0x200 state_stale=0x400
state_flickers=0x800 state_ahead=0x1000 used_wrong=0x2000 ghost=0x4000 enable_flips=0x8000 log_stops=0x10000
log_moves=0x20000 log_all=0x40000 log_beyond=0x80000 log_late=0x100000 lm_status=0x200000 lm_count=0x400000
lm_ones=0x800000 enable_one=0x1000000 enable_dead=0x2000000 reset_stuck=0x8

# fault BITS [NUMBER]
fault() { setpci -s "$a" "e4.l=$(printf %x "${2:-0}")" "e0.l=$(printf %x "$1")"; }

# --- steps -------------------------------------------------------------------------------
# v1 sends all the time.
steps=("$TOOLS/steps")
walk() { walked "${steps[@]}" -- "$@"; }
well=(recv:4=ok send:4=ok suspend=ok resume=ok recv:4=ok log=ok recv:4=ok some=ok unlog=ok)
works() { walk up=ok "${well[@]}"; }

# lie NAME BITS[/NUMBER] PATTERN WORD...: these steps, among them @, where the lie begins. PATTERN is in one
# line of ours; without one nobody complains. Then it is honest, and is reset, and works.
lie_() {
	local mark words=() word status=0

	for word in "${@:3}"; do
		[ "$word" != @ ] || word="lie:$1=ok"
		words+=("$word")
	done
	mark=$(dmesg_mark)
	walk up=ok "${words[@]}" lie:0=ok again=ok "${well[@]}" || status=1
	fault 0
	if [ -n "$2" ]; then
		logged "$mark" 1 "$us.*($2)" || status=1
	else
		logged "$mark" 0 "$us" || status=1
	fi
	return $status
}
lie() { tap_check "$1 (${*:4})" lie_ "${@:2}"; }

# --- what the model says ------------------------------------------------------------------
model_mark() { wc -l <$model_log; }
# model_says MARK PATTERN: in its last line of the kind since then.
model_says() { tail -n +$(($1 + 1)) $model_log | grep -a "^fpga0.*${2%%:*}:" | tail -n 1 | grep -a "$2"; }

# --- at probe -----------------------------------------------------------------------------
net_devices() { dev_add v0 "$a" vhost_vdpa device_features $net && dev_add v1 "$b" vhost_vdpa; }
has_block() { /build/tools/vmdev parent show "pci/$1" | grep -q 'capabilities.*state.*log'; }
gone() { timeout 60 vdpa dev del v0 && timeout 60 sh -c "echo $a >/sys/bus/pci/devices/$a/driver/unbind"; }
back() {
	dev_add v0 "$a" vhost_vdpa device_features $net && use_steps && has_block "$a" && works
}
# plain BDF PATTERN: one line says why it is a virtio function, and no more than that.
plain() {
	local mark

	mark=$(dmesg_mark)
	bind_driver "$1" vmdev_pci && logged "$mark" 1 "${1#0000:}: .*($2)" && ! has_block "$1" &&
		dev_add p0 "$1" vhost_vdpa device_features $net &&
		"$TOOLS/steps" -d "$(vhost_of p0)" -p "$(vhost_of v1)" up recv=4 send=4 status |
		grep 'up=ok recv=ok send=ok status=ok' &&
		vdpa dev del p0
}
plain_lie() {
	local status=0

	gone && fault "$1" || return
	plain "$a" "$2" || status=1
	unbind_driver "$a"
	fault 0
	back && return $status
}

# --- all ones -----------------------------------------------------------------------------
# ones WORD...: these steps, one of them @; then the function is bound anew.
ones_() {
	local mark words=() word status=0

	for word; do
		[ "$word" != @ ] || word="lie:$ones=ok"
		words+=("$word")
	done
	mark=$(dmesg_mark)
	walk up=ok recv:4=ok "${words[@]}" || status=1
	logged "$mark" 1 "$us.*hardware is gone" || status=1
	gone || status=1
	fault 0
	back && return $status
}
ones() { tap_check "all ones ($*)" ones_ "$@"; }
# Nobody looks at it before it goes.
ones_when_it_goes() {
	local status=0

	fault $ones
	gone || status=1
	fault 0
	back && return $status
}
# stuck_when_it_goes BITS: its queues run, and do not stop.
stuck_when_it_goes() {
	walk up=ok recv:4=ok log=ok "lie:$1=ok" recv:4=ok && gone || return
	fault 0
	back
}

stuck_at_probe() {
	local mark status=0

	gone && fault $reset_stuck || return
	mark=$(dmesg_mark)
	! bind_driver "$a" vmdev_pci || status=1
	logged "$mark" 1 "$us.*does not reset" || status=1
	fault 0
	back && return $status
}

# --- bits where none must be ----------------------------------------------------------------
beyond() {
	local at

	at=$(model_mark)
	lie_ $log_beyond '' log=ok @ recv:8=ok some=ok unlog=ok || return
	model_says "$at" 'behind the end of the log: refused'
}
late() {
	local at

	at=$(model_mark)
	lie_ $log_late '' log=ok recv:8=ok some=ok @ unlog=ok recv:4=ok sleep:500=ok || return
	model_says "$at" 'a log that is off: refused'
}
# What comes after all memory is unmapped.
ghost_late() {
	local at

	at=$(model_mark)
	fault $ghost 2000
	"${steps[@]}" up recv=4 reset close >/dev/null
	sleep 3
	fault 0
	model_says "$at" 'went on after it had stopped: refused'
}

# --- random -------------------------------------------------------------------------------
# Nothing else may ask for RANDOM, and no subshell does: one seed is one sequence.
all_faults=26	# bits
numbers=(0 1 2 3 7 50 200 300 4096 65535)
all_steps=(recv=2 recv=2 send=4 suspend suspend resume resume log log report report unlog again reset base=0
	status enable=1 disable=1 sleep=20 config lie=0)
# random_program: in PROGRAM.
random_program() {
	local n=$((6 + RANDOM % 12)) bits

	PROGRAM=(up recv=2)
	while [ $((n -= 1)) -ge 0 ]; do
		if [ $((RANDOM % 4)) != 0 ]; then
			PROGRAM+=("${all_steps[RANDOM % ${#all_steps[@]}]}")
			continue
		fi
		bits=$((1 << RANDOM % all_faults))
		[ $((RANDOM % 3)) != 0 ] || bits=$((bits | 1 << RANDOM % all_faults))
		PROGRAM+=("lie=$bits/${numbers[RANDOM % ${#numbers[@]}]}")
	done
}
# random_one: it ends, and then all works.
random_one() {
	local mark status=0

	random_program
	mark=$(dmesg_mark)
	timeout -k 5 200 "${steps[@]}" -w 300 "${PROGRAM[@]}" >/tmp/random-said 2>&1 || status=$?
	fault 0
	if [ $status = 0 ]; then
		if dmesg_since "$mark" | grep -q 'hardware is gone'; then gone && back; else works; fi && return
	fi
	echo "program: ${PROGRAM[*]}"
	echo "status $status, said: $(cat /tmp/random-said)"
	dmesg_since "$mark" | tail -n 20
	return 1
}
# random PROGRAMS SECONDS: at least so many, for so long.
random() {
	local n=0 end=$((SECONDS + $2))

	RANDOM=${SEED:-20260301}
	while [ $n -lt "$1" ] || [ $SECONDS -lt $end ]; do
		n=$((n + 1))
		random_one || { echo "program $n"; return 1; }
	done
	echo "$n random programs" >/tmp/random-count
}

use_steps() {
	steps=("$TOOLS/steps" -d "$(vhost_of v0)" -f "$a" -l /dev/vmdev/v0 -p "$(vhost_of v1)")
}

# Registers tell, or rings.
no_log='hardware (does not log any more|wrote to buffers, and logged nothing)'

tap_plan 58
vdpa_setup && modprobe vmdev_ctl
tap_check "net functions" net_devices
use_steps
tap_check "they work" works

lie "avail is beyond the ring" $state_ahead/300 'queue 0 stopped where it cannot be' recv:4=ok @ suspend=EILSEQ status=EIO
lie "used is ahead of avail" $state_ahead/65535 'queue [01] stopped where it cannot be' send:4=ok @ suspend=EILSEQ status=EIO
lie "states flicker" $state_flickers 'hardware says that it stopped at' log=ok recv:4=ok @ suspend=EILSEQ status=EIO all=ok unlog=ok
lie "states flicker" $state_flickers 'queue 0 does not take the state of its ring' recv:4=ok suspend=ok @ resume=EIO
lie "states stay" $state_stale 'hardware says that it stopped at' @ recv:4=ok suspend=EILSEQ status=EIO
lie "states cannot be written" $state_ignored 'queue 0 does not take the state of its ring' recv:4=ok suspend=ok @ resume=EIO
lie "states cannot be written" $state_ignored 'queue 0 does not take the state of its ring' recv:4=ok @ again=EPROTO
lie "states do not count" $state_deaf 'hardware asks for a reset' recv:4=ok suspend=ok @ resume=ok broken=ok
lie "state and ring are wrong" $used_wrong/200 'but its driver offers up to' log=ok recv:4=ok @ suspend=EILSEQ status=EIO all=ok unlog=ok
lie "a queue goes on" $ghost 'hardware says that it stopped at' log=ok recv:4=ok @ suspend=EILSEQ status=EIO all=ok unlog=ok
lie "a queue goes on" $ghost/1000 'was written while it was stopped' log=ok recv:4=ok @ suspend=ok sleep:2500=ok resume=EILSEQ status=EIO all=ok unlog=ok
# The source of a migration does not resume: it asks once more what was written.
lie "a queue goes on" $ghost/1000 'was written while it was stopped' log=ok recv:4=ok @ suspend=ok sleep:2500=ok all=ok status=EIO unlog=ok
tap_check "a queue goes on when memory is gone" ghost_late
lie "queue_enable flips back" $enable_flips '' recv:4=ok @ log=ok recv:4=ok disable:1=ok enable:1=ok unlog=ok
lie "queue 1 does not stop" $enable_one/1 'queue 1 does not stop' recv:4=ok @ suspend=ETIMEDOUT status=EIO
lie "queue 1 does not stop" $enable_one/1 'queue 1 does not stop' log=ok recv:4=ok @ disable:1=ok status=EIO all=ok unlog=ok
lie "queues do not stop" $enable_stuck '' recv:4=ok @ log=ok recv:4=ok some=ok unlog=ok reset=ok
tap_check "queues do not stop, and it goes" stuck_when_it_goes $enable_stuck
lie "queue 1 does not start" $enable_dead/1 'queue 1 does not start: queue_enable reads 0' recv:4=ok @ again=EPROTO
lie "queue 0 does not start" $enable_dead/0 'queue 0 does not start' recv:4=ok suspend=ok @ resume=EIO

lie "a reset does not end" $reset_stuck 'does not reset; its DMA was cut off' recv:4=ok @ reset=ETIMEDOUT reset=ETIMEDOUT
lie "a reset does not end" $reset_stuck 'does not reset; its DMA was cut off' log=ok recv:4=ok @ suspend=ETIMEDOUT status=EIO all=ok unlog=ok
tap_check "a reset does not end, and it goes" stuck_when_it_goes $reset_stuck
tap_check "at probe: a reset does not end" stuck_at_probe

lie "status is nonsense" $lm_status '' @ again=ok recv:4=ok log=ok recv:4=ok some=ok suspend=ok resume=ok unlog=ok
lie "the number of queues is nonsense" $lm_count/0xffffffff '' @ again=ok recv:4=ok suspend=ok resume=ok recv:4=ok
lie "no log" $log_off 'hardware does not log what it writes' @ log=ok recv:4=ok some=ok unlog=ok
lie "the log stops" $log_stops "$no_log" log=ok @ recv:8=ok all=ok recv:4=ok some=ok unlog=ok
lie "the log stops" $log_stops "$no_log" log=ok @ recv:8=ok suspend=ok all=ok unlog=ok
lie "the log stops" $log_stops "$no_log" log=ok @ recv:8=ok reset=ok all=ok unlog=ok
lie "the log moves" $log_moves "$no_log" log=ok @ recv:8=ok all=ok recv:4=ok some=ok unlog=ok
lie "the log dies without a word" $log_deaf 'logged nothing' log=ok recv:4=ok some=ok @ report=ok recv:4=ok report=ok recv:200=ok all=ok recv:8=ok report=ok recv:4=ok some=ok unlog=ok
lie "all bits are set, again and again" $log_all '' log=ok @ sleep:500=ok all=ok report=ok recv:4=ok sleep:500=ok all=ok unlog=ok
tap_check "bits behind the end" beyond
tap_check "bits when it is off" late

lie "the block is gone" $lm_ones 'cannot be switched on' @ log=EILSEQ status=EIO
lie "the block is gone" $lm_ones "$no_log" log=ok recv:4=ok @ all=ok status=EIO all=ok unlog=ok
lie "the block is gone" $lm_ones 'cannot be switched off' log=ok recv:4=ok @ unlog=ok recv:4=ok
lie "the block is gone" $lm_ones 'hardware says that it stopped at 65535' recv:4=ok @ suspend=EILSEQ status=EIO
lie "the block is gone" $lm_ones 'does not take the state' recv:4=ok suspend=ok @ resume=EIO
ones @ log=ENODEV status=EIO
ones log=ok recv:4=ok @ report=ok status=EIO all=ok unlog=ok
ones log=ok recv:4=ok @ unlog=ok status=EIO
ones @ suspend=EIO status=EIO
ones suspend=ok @ resume=ENODEV
ones log=ok @ reset=ok
tap_check "all ones, and it goes" ones_when_it_goes

tap_check "at probe: the block is gone" plain_lie $lm_ones 'no live-migration block: its log cannot be switched off'
tap_check "at probe: states cannot be written" plain_lie $state_ignored 'no live-migration block: ring states cannot be written'
tap_check "at probe: states flicker" plain_lie $state_flickers 'no live-migration block: ring states cannot be written'
tap_check "no BAR 4" plain "$BDF_fpga2" 'no live-migration block: BAR 4 has 0 bytes'
tap_check "BAR 4 is too small" plain "$BDF_fpga3" 'no live-migration block: BAR 4 has 128 bytes'
tap_check "BAR 4 is no memory" plain "$BDF_fpga4" 'no live-migration block: BAR 4 is no memory'
tap_check "BAR 4 is virtio's" plain "$BDF_fpga5" 'no live-migration block: other things are in its place'

tap_check "random faults" random $programs $seconds
sed 's/^/# /' /tmp/random-count
tap_check "a clean kernel log" clean_log
tap_done
