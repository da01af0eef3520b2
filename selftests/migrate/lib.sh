# SPDX-License-Identifier: GPL-2.0
# Sourced by tests of live migration, after common.sh: a guest, the two QEMUs it goes to and fro
# between, and what it says.
# shellcheck shell=bash disable=SC2034,SC2153,SC2154	# NESTED_*: to and from vm-lib.sh
#
# A and B are two QEMUs, on the vDPA devices vA and vB; what one has the other must have.

here=/vmdev/selftests/migrate bin=/build/selftests/migrate
mac=52:54:00:aa:00:01
machine=()	# more arguments of either QEMU
netdev='' nic=''	# more properties
complaints='ring restore failed|set_vring_base failed|falling back|[Ff]ail|[Ee]rror|Unable|[Cc]annot'

# --- the guest ----------------------------------------------------------------------------
# modules DIR MODULE...: those of the guest's kernel, and in which order they go.
modules() {
	local dir=$1 kernel file

	shift
	: >"$dir/order"
	[ $# != 0 ] || return
	kernel=$(basename /lib/modules/6.12.*)
	for file in $(modprobe -S "$kernel" --show-depends -a "$@" | awk '$1 == "insmod" {print $2}'); do
		# Packed, or as the lab's disk has them.
		xz -dcf "$file" >"$dir/$(basename "$file" .xz)"
		basename "$file" .xz >>"$dir/order"
	done
}
# initrd MODULE...: the nested guest's initramfs, and on top of it what runs in this guest.
initrd() {
	local dir=/tmp/overlay

	mkdir -p $dir/migrate/modules
	cp $here/guest-init $bin/{stream,memory,frames} $dir/migrate/
	modules $dir/migrate/modules "$@"
	(cd $dir && find . | cpio --quiet -o -H newc) | cat /boot/initrd - >/tmp/initrd
}

# qemu NAME [ARG...]: a stock QEMU on the device vNAME, its pid in PID_NAME, its guest's console and
# its own complaints in /tmp/NAME.log. Not in tap_check, it goes on in the background.
qemu() {
	local name=$1

	shift
	rm -f "/tmp/$name.qmp"
	NESTED_CMDLINE="rdinit=/migrate/guest-init" NESTED_NETDEV=$netdev NESTED_NIC=",mac=$mac$nic"
	NESTED_QEMU=(-initrd /tmp/initrd -qmp "unix:/tmp/$name.qmp,server=on,wait=off"
		"${machine[@]}" "$@")
	nested_start "/tmp/$name.log" "$(vhost_of "v$name")"
	declare -g "PID_$name=$NESTED_PID"
	wait_for "[ -S /tmp/$name.qmp ]" 60
}
pid_of() { local var=PID_$1; echo "${!var}"; }
alive() { kill -0 "$(pid_of "$1")" 2>/dev/null; }
gone() { wait_for "! kill -0 $(pid_of "$1") 2>/dev/null" 30; }
qmp() { local name=$1; shift; python3 $here/qmp.py "/tmp/$name.qmp" "$@"; }

# said NAME WORD: how often the guest said so, as far as that QEMU heard it.
said() { grep -ac "^$2 [0-9]" "/tmp/$1.log"; }
nothing_bad() { ! grep -a 'BAD' "/tmp/$1.log" /tmp/server.log; }
# works NAME: from now on the guest's stream and its memory worker go on, and find nothing wrong.
works() {
	local stream memory

	stream=$(($(said "$1" STREAM) + 3))
	memory=$(($(said "$1" MEMORY) + 2))
	wait_for "[ \$(said $1 STREAM) -ge $stream ] && [ \$(said $1 MEMORY) -ge $memory ] ||
		! alive $1 || ! nothing_bad $1 >/dev/null" 300
	alive "$1" && nothing_bad "$1" && [ "$(said "$1" STREAM)" -ge $stream ] &&
		[ "$(said "$1" MEMORY)" -ge $memory ] && return
	# A guest that came from elsewhere was up.
	grep -qs -- -incoming "/proc/$(pid_of "$1")/cmdline" || nested_silent 'GUEST up' "$(pid_of "$1")" "/tmp/$1.log"
	tail -n 20 "/tmp/$1.log"
	return 1
}

# --- devices of several kinds, at one bridge ----------------------------------------------
# VERSION_1 ACCESS_PLATFORM STATUS MRG_RXBUF MAC EVENT_IDX: what all of them have.
no_cvq=0x320018020
# The other end of the stream is the bridge itself.
bridged() {
	local pf

	pf=$(netdev_of "$BDF_pf0") && ip link set "$pf" up && ip link add wire type bridge mcast_snooping 0 &&
		ip addr add 10.0.2.1/24 dev wire && ip link set "$pf" master wire && ip link set wire up
}
# on_function NAME BDF, on_soft NAME (with soft/lib.sh): the device of that QEMU.
on_function() { dev_add "v$1" "$2" vhost_vdpa mac "$mac" device_features $no_cvq; }
on_soft() { soft_add "v$1" vhost_vdpa mac "$mac" device_features $no_cvq && ip link set "$(port "v$1")" master wire up; }

# --- migration ----------------------------------------------------------------------------
wire=tcp:127.0.0.1:5002
other() { if [ "$1" = A ]; then echo B; else echo A; fi; }
# incoming NAME: one that waits for a guest.
incoming() {
	qemu "$1" -incoming $wire
	wait_for "grep -qi ':$(printf %04x "${wire##*:}") 0*:0* 0A' /proc/net/tcp /proc/net/tcp6 || ! alive $1" 300
}
migrate() {
	local said

	said=$(qmp "$1" migrate $wire) || { echo "$said"; return 1; }
	echo "$said" >>/tmp/downtimes
}
cancelled() { qmp "$1" cancel $wire; }
# failed NAME: the other side dies in the middle of it.
failed() { qmp "$1" die $wire "$(pid_of "$(other "$1")")"; }
quit() { qmp "$1" quit >/dev/null; gone "$1"; }
# away NAME: one that did not get a guest.
away() { kill "$(pid_of "$1")"; gone "$1"; } 2>/dev/null
stop_cont() { qmp "$1" stop && qmp "$1" cont; }
# no_complaint NAME: the console of its guest is in the same file, and says none of that.
no_complaint() { ! grep -aE "$complaints" "/tmp/$1.log"; }
paths() { cat "/sys/bus/vdpa/devices/v$1/vmdev/paths"; }
paths_are() { [ "$(paths "$1")" = "$2" ] || { paths "$1"; return 1; }; }

legs=0
# there NAME: migrate the guest from NAME to the other one, which becomes $now.
there() {
	local from=$1 to

	to=$(other "$from")
	incoming "$to"
	tap_check "from $from to $to" migrate "$from"
	echo "# $(tail -n 1 /tmp/downtimes), queues: $(paths "$to")"
	tap_check "stream and memory go on there" works "$to"
	tap_check "the one it came from quits" quit "$from"
	tap_check "without a complaint, as the one it went to" eval "no_complaint $from && no_complaint $to"
	cp "/tmp/$from.log" "/out/$from.$((++legs)).log"
	now=$to
}
