#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# mdevs are created, changed, used and removed by several at once, while vdpa's netlink makes and
# deletes devices on the same functions, functions are unbound and bound, and vmdev_mdev is unloaded.
# lab: --vfs 3 --queues 2
# limit: 600
# long-limit: 400
# long-kernels: 7.2
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh
. /vmdev/selftests/mdev/lib.sh

pf=$BDF_pf0 vf=$BDF_vf0_0
seconds=60 kernel_faults=
# virtio_net never unmaps a control command that its device did not answer: see storm.sh.
[[ $(uname -r) != *debug* ]] || seconds=150 kernel_faults=1
[ "${LONG-0}" != 1 ] || seconds=$((${LONG_MINUTES:-30} * 60))
RANDOM=${SEED:-1}
counts=/tmp/storm
mkdir $counts

# count NAME: it happened once more, to this process.
count() { echo >>"$counts/$1.$BASHPID"; }
counted() { cat "$counts/$1".* 2>/dev/null | wc -l; }
# What there must be of it in the end.
declare -A least=([created]=20 [removed-in-use]=3 [looked]=5 [unbound]=2 [reloaded]=1)
reached() { [ "$(counted "$1")" -ge "${least[$1]}" ]; }
enough() {
	local what

	for what in "${!least[@]}"; do
		reached "$what" || return
	done
}
# until_end CMD...: again and again; on a slow machine it takes longer until there was enough.
until_end() {
	while [ $SECONDS -lt $end ] || { [ $SECONDS -lt $last ] && ! enough; }; do
		"$@" 2>/dev/null
	done
}

# Whoever holds it closes it when he is told, or is killed a little later.
held() {
	local holder

	use_bus "mdev-$1" vhost_vdpa || return
	"$TOOLS/hold_open" -n -c -t -d "$(vhost_of "mdev-$1")" >"/tmp/holder.$BASHPID" 2>&1 &
	holder=$!
	wait_for "grep -q READY /tmp/holder.$BASHPID || ! kill -0 $holder" 5 && count used
	put 1 "$mdevs/$1/remove" && count "removed-in-use"
	wait_for "! kill -0 $holder" 2 || kill -KILL $holder
	wait $holder
}
on_host() {
	[ -z "$kernel_faults" ] || return
	use_bus "mdev-$1" virtio_vdpa && count on-host
}
changed() { set_attr "$1" queue_pairs $((1 + RANDOM % 2)) && set_attr "$1" mac "52:54:00:00:00:0$((RANDOM % 10))" && count changed; }
restarted() { set_attr "$1" enable 0 && set_attr "$1" enable 1 && count restarted; }
deleted() { vdpa dev del "mdev-$1" && count deleted && set_attr "$1" enable 1 && count revived; }
# one UUID: the life of an mdev.
parents=("$pf vmdev_pci-net" "$pf vmdev_pci-net-1q" "$vf vmdev_pci-net" "vmdev_soft vmdev_soft-net-1q")
uses=(held held on_host changed restarted deleted true)
one() {
	# shellcheck disable=SC2086	# parent and type
	create ${parents[RANDOM % ${#parents[@]}]} "$1" || { sleep 0.1; return; }
	count created
	"${uses[RANDOM % ${#uses[@]}]}" "$1"
	put 1 "$mdevs/$1/remove" && count removed
}
# somebody N: with a UUID of his own, and one that he has in common with others.
somebody() {
	RANDOM=$(($1 + ${SEED:-1}))
	until_end eval "one 2222222$1-1111-4111-8111-111111111111; one 33333333-1111-4111-8111-111111111111"
}
netlink() {
	vdpa dev add name x mgmtdev "pci/$BDF_vf0_1" && { count added; vdpa dev del x; }
	vdpa dev show >/dev/null && cat "$(types_dir "$pf")/vmdev_pci-net/available_instances" >/dev/null && count looked
}
function_goes() {
	unbind_driver "$BDF_vf0_2" && count unbound
	sleep 0.5
	bind_driver "$BDF_vf0_2" vmdev_pci
	sleep 1
}
reload() {
	sleep 5
	modprobe -r vmdev_mdev && count reloaded
	modprobe vmdev_mdev
}
storm() {
	local pids=() n

	for n in 1 2 3; do
		somebody $n &
		pids+=($!)
	done
	until_end netlink &
	pids+=($!)
	until_end function_goes &
	pids+=($!)
	until_end reload &
	pids+=($!)
	for n in "${pids[@]}"; do
		wait "$n"
	done
}

clear() {
	local mdev

	for mdev in "$mdevs"/*; do
		[ ! -e "$mdev" ] || put 1 "$mdev/remove" || return
	done
	wait_for "! ls /sys/bus/vdpa/devices | grep -q ." 10
}
all_there() {
	available "$pf" vmdev_pci-net 3 && available "$vf" vmdev_pci-net 1 && available vmdev_soft vmdev_soft-net 1024
}
still_works() {
	one_more=44444444-1111-4111-8111-111111111111
	create "$pf" vmdev_pci-net $one_more && linked $one_more && gone $one_more
}

tap_plan 12
tap_check "modules" eval "vdpa_setup && modprobe -a vmdev_soft vmdev_mdev && $no_ipv6"
tap_check "a PF and its VFs are ours" vfs_ours
tap_check "all are free" all_there
end=$((SECONDS + seconds)) last=$((SECONDS + 4 * seconds))
storm >/tmp/storm.log 2>&1
for what in created removed used removed-in-use changed restarted deleted revived on-host added looked unbound reloaded; do
	echo "# $what: $(counted $what)"
done
tap_check "many were created" reached created
tap_check "some were removed in use" reached removed-in-use
tap_check "vdpa went on" reached looked
tap_check "functions came and went" reached unbound
tap_check "the module too" reached reloaded
tap_check "nothing is left" clear
tap_check "all are free again" all_there
tap_check "and can be used" still_works
tap_check "a clean kernel log" clean_log
tap_done
