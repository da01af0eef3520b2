# SPDX-License-Identifier: GPL-2.0
# Sourced by functional tests, after vm-lib.sh: vDPA devices, namespaces, holders of a device.
# shellcheck shell=bash
# Whoever starts something in the background does it outside of tap_check, which runs its
# command in a subshell and waits for the end of its output.

export TOOLS=/build/selftests/vhost_vdpa

# --- TAP of others -----------------------------------------------------------------------
# tap_adopt PREFIX CMD...: run a program that prints TAP, its results become ours.
tap_adopt() {
	local prefix=$1 line name

	shift
	while read -r line; do
		name="$prefix: $(sed -E 's/^(not )?ok [0-9]+ (- )?//; s/ # .*//' <<<"$line")"
		case $line in
		"ok "*"# SKIP"*) tap_skip "$name" "${line#*# SKIP }" ;;
		"ok "*) tap_ok "$name" ;;
		"not ok "*) tap_not_ok "$name" "${line#* # }" ;;
		"TAP version"* | "1.."* | *" passed, "*) ;;
		*) echo "# ${line#\# }" ;;
		esac
	done < <("$@" 2>&1)
}

# --- vDPA devices ------------------------------------------------------------------------
# No bus driver takes a device by itself, use_bus says which. Before the first device.
vdpa_setup() {
	load_vmdev && load_vhost_vdpa && modprobe -a vdpa virtio_vdpa virtio_net &&
		echo 0 >/sys/bus/vdpa/drivers_autoprobe
}
# Without hugepages memory is in many pieces, the more so the longer a machine runs; newer kernels
# allow 2048 by default, and refuse the next map (EFAULT). It cannot be changed later.
load_vhost_vdpa() {
	local many=()

	! modinfo -F parm vhost_vdpa | grep -q '^max_iotlb_entries:' || many=(max_iotlb_entries=200000)
	modprobe vhost_vdpa "${many[@]}"
}

# bus_of NAME: the bus driver that has the device.
bus_of() { basename "$(readlink "/sys/bus/vdpa/devices/$1/driver")" 2>/dev/null; }

# use_bus NAME virtio_vdpa|vhost_vdpa
use_bus() {
	local dev=/sys/bus/vdpa/devices/$1

	[ ! -e "$dev/driver" ] || echo "$1" >"$dev/driver/unbind" || return
	echo "$2" >"$dev/driver_override" || return
	echo "$1" >/sys/bus/vdpa/drivers_probe || return
	[ "$dev/driver" -ef "/sys/bus/vdpa/drivers/$2" ]
}

# dev_add NAME BDF [BUS [ATTR...]]: a device on a function that is or becomes ours.
dev_add() {
	local name=$1 bdf=$2 bus=${3-}

	shift $(($# < 3 ? $# : 3))
	has_driver "$bdf" vmdev_pci || bind_driver "$bdf" vmdev_pci || return
	vdpa dev add name "$name" mgmtdev "pci/$bdf" "$@" || return
	[ -z "$bus" ] || use_bus "$name" "$bus" || return
	[ "$bus" != vhost_vdpa ] || wait_for "[ -c \"\$(vhost_of $name)\" ]" 5
}

# stat_of NAME QUEUE kicks|interrupts
stat_of() {
	vdpa -j dev vstats show "$1" qidx "$2" |
		python3 -c 'import json, sys
for stats in json.load(sys.stdin)["vstats"].values():
	print(stats[sys.argv[1]])' "$3"
}

# --- traffic -----------------------------------------------------------------------------
# net_up BDF NS [ADDR]: the function's netdev, alone in a namespace, as eth0.
net_up() {
	wait_for "[ -e /sys/bus/pci/devices/$1/virtio*/net/* ]" 5 || return
	ip netns add "$2" 2>/dev/null
	ip link set "$(netdev_of "$1")" netns "$2" name eth0 &&
		ip -n "$2" addr add "${3:-10.0.2.15}/24" dev eth0 &&
		ip -n "$2" link set eth0 up
}

# reach NS [ADDR]: no ping is lost. The first one may wait for ARP.
reach() {
	local output

	ip netns exec "$1" ping -q -c 1 -W 10 "${2:-10.0.2.2}" || return
	output=$(ip netns exec "$1" ping -c 5 -i 0.1 -W 10 "${2:-10.0.2.2}")
	grep -q ' 0% packet loss' <<<"$output" && return
	echo "$output"
	return 1
}

# traffic NS: ping all the time, pid in TRAFFIC, until its netdev goes or until quiet.
traffic() {
	ip netns exec "$1" ping -q -i 0.01 -W 1 "${2:-10.0.2.2}" >/dev/null 2>&1 &
	TRAFFIC=$!
}
quiet() {
	kill "$TRAFFIC"
	wait "$TRAFFIC"
} 2>/dev/null

# --- somebody who holds a device ---------------------------------------------------------
# hold LOG NAME [OPTION...]: hold_open on its vhost-vdpa device; pid in HOLDER.
hold() {
	local log=$1 name=$2

	shift 2
	: >"$log"
	"$TOOLS/hold_open" -n -d "$(vhost_of "$name")" "$@" >"$log" 2>&1 &
	HOLDER=$!
	wait_for "grep -q READY '$log' || ! kill -0 $HOLDER 2>/dev/null" 20
	grep -q READY "$log" || ! sed 's/^/# /' "$log"
}
# told LOG: the holder was told that the device needs a reset.
told() { wait_for "grep -q NEEDS_RESET '$1'" 20; }
# let_go [SIGNAL]
let_go() {
	kill "-${1:-TERM}" "$HOLDER" && wait "$HOLDER"
	true
} 2>/dev/null

# listening N: so many listen to a group of generic netlink.
listening() { [ "$(awk '$2 == 16 && $4 != "00000000"' /proc/net/netlink | wc -l)" -ge "$1" ]; }

# --- somebody who goes step by step ------------------------------------------------------
# steps_args WORD...: what steps is to be told to make these, in STEPS. LIE: for step "lie".
steps_args() {
	local word

	STEPS=()
	for word; do
		case ${word%%=*} in
		lie) STEPS+=("lie=$LIE") ;;
		send) STEPS+=(send=4) ;;
		enable | disable | base) STEPS+=("${word%%=*}=1") ;;
		*) STEPS+=("${word%%=*}") ;;
		esac
	done
}
# steps_said TEXT WORD...
steps_said() {
	[ "$(sed 's/\[[0-9]*\] //g; s/ *$//' <<<"$1")" = "${*:2}" ] && return
	echo "steps said: $1, not: ${*:2}"
	return 1
}
# stepped COMMAND... -- WORD...: WORD is STEP=RESULT; fails if a result is another one.
stepped() {
	local command=()

	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	shift
	steps_args "$@"
	steps_said "$(timeout -k 5 60 "${command[@]}" "${STEPS[@]}" 2>&1)" "$@"
}

# walked COMMAND... -- WORD...: as stepped, WORD is STEP[:ARG]=RESULT.
walked() {
	local word name command=() args=() want=()

	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	shift
	for word; do
		name=${word%%=*}
		args+=("${name/:/=}")
		want+=("${name%%:*}=${word#*=}")
	done
	steps_said "$(timeout -k 5 100 "${command[@]}" "${args[@]}" 2>&1)" "${want[@]}"
}

# --- hardware that vanishes --------------------------------------------------------------
# QEMU reads 0 from a BAR that is gone, real buses all ones. A page of ones, the BAR of an
# ivshmem device at 1b.0, is laid over the place where a VF was.
ones=0000:00:1b.0
ones_make() {
	setpci -s "$ones" COMMAND=2
	python3 -c 'import mmap, sys
with open(sys.argv[1], "r+b") as f:
	m = mmap.mmap(f.fileno(), 16384)
	m[:] = b"\xff" * 16384' "/sys/bus/pci/devices/$ones/resource2"
	setpci -s "$ones" COMMAND=0
}
ones_over() {
	local start

	start=$(sed -n '5s/ .*//p' "/sys/bus/pci/devices/$1/resource")
	setpci -s "$ones" "BASE_ADDRESS_2=$(printf %x $((start & 0xffffffff)))" \
		"BASE_ADDRESS_3=$(printf %x $((start >> 32)))" COMMAND=2
}
ones_away() { setpci -s "$ones" COMMAND=0; }

# vf_vanish [VF]: all VFs of pf0 go; the registers of VF read all ones, of others 0.
vf_vanish() {
	# shellcheck disable=SC2154	# from lab-run
	setpci -s "$BDF_pf0" ECAP_SRIOV+8.w=0:1
	[ $# = 0 ] || ones_over "$1"
}

# --- what may block ----------------------------------------------------------------------
# later CMD...: in the background, pid in LATER; ends and pending tell of it.
later() {
	{
		"$@"
		echo $? >"/tmp/later.$BASHPID"
	} >"/tmp/later-output" 2>&1 &
	LATER=$!
}
pending() { kill -0 "$LATER"; }
# ends SECONDS: it ended in time, and succeeded.
ends() {
	wait_for "[ -s /tmp/later.$LATER ]" "$1" || return
	cat /tmp/later-output
	[ "$(cat "/tmp/later.$LATER")" = 0 ]
}
# tap_soon NAME CMD...: tap_check, and how long it took, for whoever sees it grow. That nothing waits for what
# does not come is known by a bound far below any timeout; work that sleeps takes its seconds on a slow machine.
export SOON=20
tap_soon() {
	local begin=${EPOCHREALTIME/./}

	tap_check "$@"
	echo "# after $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
}
# put VALUE FILE: an echo whose failure is one of a command.
put() { echo "$1" >"$2"; }

not() { ! "$@"; }

# --- lockdep -----------------------------------------------------------------------------
# lock_inside OUTER INNER: it saw INNER taken with OUTER held.
lock_inside() {
	awk -v outer="$1" -v inner="$2" '
		{ sub(/[#\/][0-9]+$/, "") }
		/^[0-9a-f]+ .*: / { name = $0; sub(/^.*: /, "", name); next }
		/^ -> / { sub(/^ -> \[[0-9a-f]+\] /, ""); if (name == outer && $0 == inner) found = 1 }
		END { exit !found }' /out/lockdep
}
# lock_orders OUTER|INNER...: a test for each; none is of worth without lockdep_on.
lock_orders() {
	local pair

	# To make that text takes seconds.
	[ ! -e /proc/lockdep ] || cp /proc/lockdep /proc/lockdep_stats /out/
	for pair; do
		if [ -e /proc/lockdep ]; then
			tap_check "lock order: ${pair/|/ before }" lock_inside "${pair%|*}" "${pair#*|}"
		else
			tap_skip "lock order: ${pair/|/ before }" "a kernel without lockdep"
		fi
	done
}
lockdep_on() { [ ! -e /proc/lockdep_stats ] || grep -qE 'debug_locks: +1' /proc/lockdep_stats; }

# --- the log -----------------------------------------------------------------------------
# logged MARK COUNT PATTERN: so many lines since the mark.
logged() {
	local n

	n=$(dmesg_since "$1" | grep -cE "$3")
	[ "$n" -eq "$2" ] && return
	echo "$n lines with '$3', not $2:"
	dmesg_since "$1" | tail -n 20
	return 1
}
# clean_log [MARK [EXPECTED]]: nothing bad since the mark, or the start, but what was expected.
LOG_START=$(dmesg_mark)
clean_log() { ! dmesg_splat "${1:-$LOG_START}" | grep -vE "${2:-^$}"; }
# What the IOMMU prints of a DMA that it stopped.
export DMA_FAULTS='DMAR: (DRHD: handling fault|.DMA (Read|Write).* fault addr)'

# --- no instruction for a packet -----------------------------------------------------------
# What the core does for queues in shadow, in any context.
tracing=/sys/kernel/tracing
shadow_functions='vmdev_shadow_kick vmdev_shadow_used vmdev_shadow_bh vmdev_shadow_mark'
shadow_trace() {
	echo "$shadow_functions" | tr ' ' '\n' >$tracing/set_ftrace_filter && echo >$tracing/trace &&
		echo function >$tracing/current_tracer
}
# shadow_traced: none of these was called since; prints those that were.
shadow_traced() {
	grep -v '^#' $tracing/trace | head -n 20 >/tmp/traced
	echo nop >$tracing/current_tracer
	cat /tmp/traced
	[ ! -s /tmp/traced ]
}
# untouched CMD...: while it runs none of these is called.
untouched() {
	local status=0

	shadow_trace || return
	"$@" || status=$?
	shadow_traced && return $status
}
# touched CMD...: it succeeds, and some of these were called.
touched() {
	shadow_trace || return
	"$@" || { shadow_traced; return 1; }
	! shadow_traced
}
# tap_untouched NAME CMD...: a test of one of those.
tap_untouched() {
	mount -t tracefs tracefs $tracing 2>/dev/null
	if grep -qw function $tracing/available_tracers 2>/dev/null; then
		tap_check "$@"
	else
		tap_skip "$1" "this kernel has no function tracer"
	fi
}
