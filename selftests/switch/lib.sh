# SPDX-License-Identifier: GPL-2.0
# Sourced by functional tests, after common.sh: a guest with fio on a disk and a TCP stream on a NIC,
# and what it says.
# shellcheck shell=bash disable=SC2034,SC2153,SC2154	# NESTED_*: to and from vm-lib.sh

qmp_py=/vmdev/selftests/migrate/qmp.py
stream=/build/selftests/migrate/stream
guest_log=/tmp/guest.log guest_stop=/tmp/guest-stop guest_qmp=/tmp/guest.qmp
complaints='ring restore failed|set_vring_base failed|falling back|[Ff]ail|[Ee]rror|Unable|[Cc]annot'

# --- the guest ----------------------------------------------------------------------------
# guest_initrd: the nested guest's initramfs, and on top of it what runs in this guest.
guest_initrd() {
	local dir=/tmp/overlay

	mkdir -p $dir/switch
	cp /vmdev/selftests/switch/guest-init "$stream" "$(command -v fio)" $dir/switch/
	with_libraries $dir $dir/switch/fio
	(cd $dir && find . | cpio --quiet -o -H newc) | cat /boot/initrd - >/tmp/initrd
}

# guest_start VHOST_DEV...: in the background, so not in tap_check. GUEST: of its kernel command line.
guest_start() {
	rm -f $guest_stop.in $guest_stop.out $guest_qmp
	mkfifo $guest_stop.in $guest_stop.out
	NESTED_CMDLINE="rdinit=/switch/guest-init ${GUEST-}"
	NESTED_QEMU=(-m 512 -initrd /tmp/initrd -qmp "unix:$guest_qmp,server=on,wait=off"
		-chardev "pipe,id=stop,path=$guest_stop" -serial chardev:stop "${GUEST_QEMU[@]}")
	nested_start $guest_log "$@"
	cat $guest_stop.out >/dev/null &
	wait_for "[ -S $guest_qmp ]" 60
}
guest_alive() { kill -0 "$NESTED_PID" 2>/dev/null; }
qmp() { python3 $qmp_py $guest_qmp "$@"; }
# guest_quit: and with it the other ends of its streams.
guest_quit() {
	qmp quit >/dev/null
	wait_for "! kill -0 $NESTED_PID 2>/dev/null" 30
	kill "${SERVERS[@]}"
	wait "${SERVERS[@]}"
	SERVERS=()
} 2>/dev/null

# said WORD DEV: the last number that the guest said of it, 0 if none.
said() { tr -d '\r' <$guest_log | awk -v w="$1" -v d="$2" '$1 == w && $3 == d {n = $2} END {print n + 0}'; }
nothing_bad() { ! grep -a 'BAD' $guest_log /tmp/server.*.log; }
# goes_on DEV...: from now on fio, or the stream, goes on there, and nothing is ever bad.
goes_on() {
	local dev word more=()

	for dev; do
		word=FIO
		[[ $dev != eth* ]] || word=STREAM
		more+=(-a "\$(said $word $dev)" -gt "$(said $word "$dev")")
	done
	wait_for "grep -aq 'GUEST up' $guest_log || ! guest_alive" 240 &&
		wait_for "[ 1 ${more[*]} ] || ! guest_alive || ! nothing_bad >/dev/null" 600
	guest_alive && nothing_bad && eval "[ 1 ${more[*]} ]" && return
	nested_silent 'GUEST up' "$NESTED_PID" $guest_log
	tail -n 20 $guest_log
	return 1
}
# guest_ends: fio after its round, and then the streams; what is done by then is counted.
guest_ends() {
	echo stop >$guest_stop.in
	wait_for "grep -aq '^GUEST done' $guest_log || ! guest_alive" 600
	nothing_bad && grep -aq '^GUEST done' $guest_log && return
	tail -n 20 $guest_log
	return 1
}
no_complaint() { ! grep -aE "$complaints" $guest_log; }

# serve NS N: the other end of the stream of a guest's ethN, in the background.
serve() {
	ip netns exec "$1" $stream $((5002 + $2)) >"/tmp/server.$2.log" 2>&1 &
	SERVERS+=($!)
}
# counts_agree DEV NS NETDEV N M: what went over a wire that loses nothing arrived once, but for the
# first N frames of DEV and M of NETDEV, when the other did not run yet.
# virtio_net counts a frame as sent when it gets the buffer back, and it may have no hurry to look: what is
# missing is asked for with a frame more.
# Once they agree, they agree: a frame that is sent later (IPv6, ARP) comes to the counts one after the other.
counts_agree() {
	! wait_for "counts_are_the_same $* >/dev/null" 5 || return 0
	counts_are_the_same "$@" && return
	ip netns exec "$2" ping -c 1 -W 5 10.0.2.15 >/dev/null
	! wait_for "counts_are_the_same $* >/dev/null" 20 || return 0
	counts_are_the_same "$@"
}
counts_are_the_same() {
	local stat=statistics sent got

	read -r sent got < <(ip netns exec "$2" bash -c "cd /sys/class/net/$3/$stat && echo \$(cat tx_packets rx_packets)")
	echo "guest sent $(said SENT "$1") but $4, $got came; got $(said GOT "$1") of $sent but $5"
	[ $(($(said SENT "$1") - $4)) = "$got" ] && [ $(($(said GOT "$1") + $5)) = "$sent" ]
}
# writes_agree DEV COUNT: the guest's writes are what its disk did.
writes_agree() { echo "guest wrote $(said WRITES "$1") times, disk $2 times"; [ "$(said WRITES "$1")" = "$2" ]; }

# --- paths --------------------------------------------------------------------------------
# all_are NAME PATH: every queue of it that is on, and that hardware has.
all_are() {
	local paths

	paths=$(tr ' ' '\n' <"/sys/bus/vdpa/devices/$1/vmdev/paths" | grep -vE '^(off|software)$' | sort -u)
	[ "$paths" = "$2" ] || { echo "$1: ${paths//$'\n'/ }"; return 1; }
}
policy() { put "$2" "/sys/bus/vdpa/devices/$1/vmdev/policy"; }

# --- devices ------------------------------------------------------------------------------
# soft NAME FUNCTION BUS [ATTR...]: a device on hardware that is software (selftests/soft_hw).
soft() {
	local name=$1 function=$2 bus=$3

	shift 3
	vdpa dev add name "$name" mgmtdev "platform/$function" "$@" && use_bus "$name" "$bus" || return
	[ "$bus" != vhost_vdpa ] || wait_for "[ -c \"\$(vhost_of $name)\" ]" 5
}
soft_count() { cat "/sys/devices/platform/$1/$2"; }
# disk_count ID: writes that the VM's own QEMU did for that disk of it.
disk_count() {
	vm_qmp '{"execute":"query-blockstats"}' | python3 -c 'import json, sys
for line in sys.stdin:
	for disk in json.loads(line).get("return", []):
		if disk["device"] == sys.argv[1]:
			print(disk["stats"]["wr_operations"])' "d-$1"
}
