#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vmdev_soft: two stock QEMU guests and two drivers on the host, whose ports are in one bridge, talk to each
# other with all offloads.
# lab: --vfs 0
# limit: 600
# long-kernels: 6.12 7.2 debug
# shellcheck source=/dev/null disable=SC2034,SC2153	# NESTED_*: to and from vm-lib.sh
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

# Stations: q0 and q1 are guests, g0 and g1 namespaces.
declare -A addr=([q0]=10.9.0.10 [q1]=10.9.0.11 [g0]=10.9.0.2 [g1]=10.9.0.3) pid=()
complaints='ring restore failed|set_vring_base failed|falling back|vhost.*(fail|error)|Unable'

# --- guests ------------------------------------------------------------------------------
initrd() {
	local dir=/tmp/overlay libgcc

	# Loaded when a thread ends.
	libgcc=$(ldconfig -p | awk '/libgcc_s.so.1/ {print $NF; exit}')
	mkdir -p $dir/soft
	cp /vmdev/selftests/soft/guest-init /build/selftests/migrate/stream "$(command -v iperf3)" $dir/soft/ &&
		with_libraries $dir $dir/soft/iperf3 && install -D "$libgcc" "$dir$libgcc" &&
		(cd $dir && find . | cpio --quiet -o -H newc) | cat /boot/initrd - >/tmp/initrd
}
# boot STATION: in the background, so not in tap_check.
boot() {
	mkfifo "/tmp/$1.in" "/tmp/$1.out"
	NESTED_CMDLINE="rdinit=/soft/guest-init soft.ip=${addr[$1]}/24"
	NESTED_QEMU=(-m 384 -initrd /tmp/initrd -chardev "pipe,id=ear,path=/tmp/$1" -serial chardev:ear)
	NESTED_NIC=,mac=52:54:00:aa:00:0${1#q}
	nested_start "/tmp/$1.log" "$(vhost_of "$1")"
	pid[$1]=$NESTED_PID
	cat "/tmp/$1.out" >/dev/null &
	: >"/tmp/$1.count"
}
alive() { kill -0 "${pid[$1]}" 2>/dev/null; }
comes_up() {
	wait_for "grep -aq '^GUEST up' /tmp/$1.log || ! alive $1" 200
	grep -aq '^GUEST up' "/tmp/$1.log" && return
	! alive "$1" || echo "nested guest: time limit"
	tail -n 20 "/tmp/$1.log"
	return 1
}
# at STATION COMMAND: its output and status.
at() {
	local n line

	case $1 in g?) ip netns exec "$1" sh -c "$2"; return ;; esac
	echo >>"/tmp/$1.count"
	n=$(wc -l <"/tmp/$1.count")
	echo "$2" >"/tmp/$1.in"
	wait_for "grep -aq '^DONE $n ' /tmp/$1.log || ! alive $1" 120
	line=$(tr -d '\r' <"/tmp/$1.log" | grep -a "^DONE $n ")
	tr -d '\r' <"/tmp/$1.log" | sed "1,/^DONE $((n - 1)) /d; /^DONE $n /,\$d" | tail -n 12
	[ -n "$line" ] || { ! alive "$1" || echo "nested guest: time limit"; return 1; }
	return "${line##* }"
}
quits() {
	at "$1" "ethtool -k eth0 2>/dev/null; cat /proc/net/dev"
	kill "${pid[$1]}" && wait_for "! alive $1" 30 && ! grep -aE "$complaints" "/tmp/$1.log"
}

# --- pairings ----------------------------------------------------------------------------
devices() {
	soft_add g0 virtio_vdpa && soft_add g1 virtio_vdpa && soft_add q0 vhost_vdpa && soft_add q1 vhost_vdpa &&
		guest g0 g0 "${addr[g0]}" && guest g1 g1 "${addr[g1]}" && wait_for "[ -c \"\$(vhost_of q1)\" ]" 5
}
bridged() {
	local station

	ip link add br0 type bridge && ip link set br0 up && for station in q0 q1 g0 g1; do
		ip link set "$(port $station)" master br0 up || return
	done
}
pinged() { at "$1" "ping -c 3 -W 5 ${addr[$2]}" && at "$1" "ping -c 3 -W 5 -s 1400 ${addr[$2]}"; }
# streamed A B: so many bytes there, and so many back.
streamed() {
	local path=

	case $1 in q?) path=/soft/ ;; esac
	at "$1" "${path}iperf3 -c ${addr[$2]} -n 1M -f m" && at "$1" "${path}iperf3 -c ${addr[$2]} -n 1M -f m -R"
}
# checked A B: what is said there, there and back, for a while.
checked() {
	local out client=/build/selftests/migrate/stream server=/build/selftests/migrate/stream

	case $1 in q?) client=/soft/stream ;; esac
	case $2 in q?) server=/soft/stream ;; esac
	at "$2" "$server 5100 >/dev/null 2>&1 & sleep 1" || return
	out=$(at "$1" "timeout 4 $client ${addr[$2]} 5100")
	echo "$out"
	grep -q '^STREAM [0-9]' <<<"$out" && ! grep -q BAD <<<"$out"
}
# large FROM_STATION: of what its driver sent, some was larger than any frame of its MTU.
large() {
	local packets bytes

	packets=$(port_stat "$1" rx_packets) bytes=$(port_stat "$1" rx_bytes)
	streamed "$1" "$2" || return
	packets=$(($(port_stat "$1" rx_packets) - packets)) bytes=$(($(port_stat "$1" rx_bytes) - bytes))
	echo "$1: $bytes bytes in $packets frames"
	[ $((bytes / packets)) -gt 1514 ]
}

gone() {
	local name

	for name in q0 q1 g0 g1; do
		vdpa dev del $name || return
	done
	modprobe -r vmdev_soft
}

pairings="q0,q1 q0,g0 q0,g1 q1,g0 q1,g1 g0,g1"
tap_plan $((6 * 3 + 4 + 10))
tap_check "modules" soft_setup
tap_check "four devices" devices
tap_check "their ports in a bridge" bridged
tap_check "what guests run" initrd
boot q0
tap_check "one guest comes up" comes_up q0
boot q1
tap_check "the other one, too" comes_up q1
for ns in g0 g1; do
	ip netns exec $ns iperf3 -s >/dev/null 2>&1 &
	servers+=($!)
done
for pairing in $pairings; do
	tap_check "$pairing: ping" pinged "${pairing%,*}" "${pairing#*,}"
	tap_check "$pairing: iperf3" streamed "${pairing%,*}" "${pairing#*,}"
	tap_check "$pairing: a stream that is checked" checked "${pairing%,*}" "${pairing#*,}"
done
tap_check "q0 sends segments" large q0 q1
tap_check "q1 sends segments" large q1 g0
tap_check "g0 sends segments" large g0 q0
tap_check "g1 sends segments" large g1 g0
tap_check "one guest quits" quits q0
tap_check "the other one, too" quits q1
kill "${servers[@]}"
tap_check "they go" gone
tap_check "a clean kernel log" clean_log
tap_done
