#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The provisioning contract, through iproute2's own vdpa: what is honoured, and every refusal
# with its errno and its sentence. The function at 00:10.0 is one that can be told neither a
# MAC nor an MTU.
# lab: --queues 2 --blk 1 --no-platform-nic --prop host_mtu=9000 --prop packed=on --prop in_order=on --append slub_debug=U,kmalloc-*,kernfs_node_cache --qemu -netdev --qemu user,id=poor --qemu -device --qemu virtio-net-pci,netdev=poor,addr=10.0,disable-legacy=on,iommu_platform=on,ctrl_mac_addr=off,romfile=
# limit: 700
# long-kernels: 6.12 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

vf=$BDF_vf0_0 vf1=$BDF_vf0_1 pf=$BDF_pf0 poor=0000:00:10.0
rounds=200

# Feature bits, some named by name only, and what every device must have.
# shellcheck disable=SC2034
{
	MTU=$((1 << 3)) MAC=$((1 << 5)) CTRL_VQ=$((1 << 17)) CTRL_RX=$((1 << 18)) MQ=$((1 << 22))
	GUEST_ANNOUNCE=$((1 << 21)) INDIRECT_DESC=$((1 << 28)) EVENT_IDX=$((1 << 29))
	VERSION_1=$((1 << 32)) ACCESS_PLATFORM=$((1 << 33)) RING_PACKED=$((1 << 34))
	IN_ORDER=$((1 << 35)) ORDER_PLATFORM=$((1 << 36)) SR_IOV=$((1 << 37))
	NOTIFICATION_DATA=$((1 << 38)) RING_RESET=$((1 << 40))
}
base=$((VERSION_1 | ACCESS_PLATFORM))
on_request=(GUEST_ANNOUNCE INDIRECT_DESC RING_PACKED IN_ORDER RING_RESET)
never_here=(ORDER_PLATFORM NOTIFICATION_DATA)	# the emulated functions do not have them

# refused ERROR LINE CMD...: CMD fails with ERROR in what it says, and with one LINE in the log
# ("" for none: then the vdpa core says it by itself).
refused() {
	local error=$1 line=$2 mark out

	shift 2
	mark=$(dmesg_mark)
	out=$("$@" 2>&1) && { echo "was accepted"; return 1; }
	[[ $out == *$error* ]] || { echo "$out"; return 1; }
	[ -z "$line" ] || logged "$mark" 1 "$line"
}

# hex BITS: iproute2 takes device_features for hexadecimal.
hex() { printf '%#x' "$1"; }
# add BDF ATTR...: as device x.
add() {
	local bdf=$1

	shift
	vdpa dev add name x mgmtdev "pci/$bdf" "$@"
}
# made BDF ATTR...: the same, on vhost-vdpa so that it can be asked.
made() {
	local bdf=$1

	shift
	dev_add x "$bdf" vhost_vdpa "$@"
}
gone() { vdpa dev del x && [ ! -e /sys/bus/vdpa/devices/x ]; }

# check NAME CMD...: a test that failed may have left its device.
check() {
	local failed=$TAP_FAILED

	tap_check "$@"
	[ "$TAP_FAILED" = "$failed" ] || vdpa dev del x >/dev/null 2>&1
}

# field NAME: of JSON on standard input. iproute2 leaves a blank behind some names.
field() { sed -n "s/.*\"$1 *\":\"\?\([^,\"}]*\).*/\1/p"; }
config() { vdpa -j dev config show x | field "$1"; }
show() { vdpa -j dev show x | field "$1"; }
# is VALUE CMD...
is() {
	local out

	out=$("${@:2}") && [ "$out" = "$1" ] && return
	echo "'$out', not '$1'"
	return 1
}

# vhost REQUEST FORMAT BYTES: what an ioctl of device x stores.
vhost() {
	perl -e 'open(my $f, "+<", $ARGV[0]) or die "open: $!"; my $b = "\0" x $ARGV[3];
		ioctl($f, hex $ARGV[1], $b) or die "ioctl: $!"; print unpack($ARGV[2], $b), "\n"' \
		"$(vhost_of x)" "$@"
}
offered() { vhost 0x8008AF00 Q 8; }	# VHOST_GET_FEATURES
vqs_count() { vhost 0x8004AF80 L 4; }	# VHOST_VDPA_GET_VQS_COUNT

# --- names, and what is there -----------------------------------------------------------
setup() {
	vdpa_setup && bind_driver "$pf" vmdev_pci &&
		echo 2 >"/sys/bus/pci/devices/$pf/sriov_numvfs" || return
	for bdf in "$vf" "$vf1" "$poor" "$BDF_blk0" "$BDF_bare0"; do
		bind_driver "$bdf" vmdev_pci || return
	done
}
mgmtdev_shows_all() {
	local out word

	out=$(vdpa -j mgmtdev show "pci/$vf") || return
	for word in '"supported_classes":\["net"\]' '"max_supported_vqs":5' MAC MTU CTRL_VQ MQ \
		GUEST_ANNOUNCE RING_INDIRECT_DESC VERSION_1 ACCESS_PLATFORM RING_PACKED IN_ORDER; do
		grep -qw -- "$word" <<<"$out" || { echo "no $word in $out"; return 1; }
	done
}
direct_child() {
	is "$(readlink -f "/sys/bus/pci/devices/$vf")/vdpa:$vf" \
		readlink -f "/sys/bus/vdpa/devices/vdpa:$vf"
}

# --- features ---------------------------------------------------------------------------
# defaults_of BDF: what must be there is, what is only on request is not.
defaults_of() {
	local bit have rc=0

	made "$1" && have=$(offered) || return
	[ $((have & base)) = $base ] || { echo "$have lacks one of $base"; rc=1; }
	for bit in "${on_request[@]}" "${never_here[@]}" SR_IOV; do
		[ $((have & ${!bit})) = 0 ] || { echo "$bit is offered"; rc=1; }
	done
	gone && return $rc
}
exactly_on_request() {
	local bit asked

	for bit in "${on_request[@]}"; do
		asked=$((base | CTRL_VQ | ${!bit}))
		if ! made "$vf" device_features "$(hex $asked)" || ! is $asked offered; then
			echo "$bit"
			return 1
		fi
		gone || return
	done
}
lacking_refused() {
	local bit

	for bit in "${never_here[@]}"; do
		refused "not supported" "hardware cannot offer $(hex "${!bit}")\$" \
			add "$vf" device_features "$(hex $((base | ${!bit})))" || return
	done
}
no_sriov_named() { ! vdpa mgmtdev show "pci/$pf" | grep -w SR_IOV; }

# --- queue pairs ------------------------------------------------------------------------
# pairs N ATTR...: so many, everywhere. With one pair QEMU would not count a third queue
# unless there is a control queue.
pairs() {
	local n=$1

	shift
	made "$vf" "$@" && is "$n" config max_vq_pairs && is $((2 * n + 1)) show max_vqs &&
		is $((2 * n + 1)) vqs_count && gone
}
without_mq() {
	made "$vf" device_features "$(hex $((base | CTRL_VQ)))" && is 3 show max_vqs && is "" config max_vq_pairs &&
		gone
}
# What sriov-network-operator does: 32 first; without only if that was "not supported".
operator_retry() {
	refused "not supported" "max_vqp 32: the device can have at most 2" add "$vf" max_vqp 32 &&
		add "$vf" && gone
}

# --- MTU, MAC ---------------------------------------------------------------------------
mtu_shown() { add "$vf" mtu "$1" && is "$1" config mtu && gone; }
mac_shown() { add "$vf" mac 02:00:00:00:00:11 && is 02:00:00:00:00:11 config mac && gone; }
mac_set_shown() {
	add "$vf" && vdpa dev set name x mac 02:00:00:00:00:12 && is 02:00:00:00:00:12 config mac &&
		gone
}
# mac_on_the_wire ATTR...: the hardware filters for it once the driver left promiscuous mode.
mac_on_the_wire() {
	local rc

	dev_add x "$vf" virtio_vdpa mac 02:00:00:00:00:13 "$@" && net_up "$vf" n || return
	is 02:00:00:00:00:13 ip netns exec n cat /sys/class/net/eth0/address && reach n
	rc=$?
	gone && return "$rc"
}
mac_set_while_running() {
	local rc

	dev_add x "$vf" virtio_vdpa && wait_for "[ -n \"\$(netdev_of $vf)\" ]" 5 || return
	refused "busy" "mac: a driver runs the device" vdpa dev set name x mac 02:00:00:00:00:14
	rc=$?
	gone && return $rc
}
poor_mac_set() {
	local rc

	add "$poor" || return
	refused "not supported" "mac: hardware cannot be told one" \
		vdpa dev set name x mac 02:00:00:00:00:15
	rc=$?
	gone && return $rc
}

# --- block ------------------------------------------------------------------------------
blk_class() { is block eval "vdpa -j mgmtdev show pci/$BDF_blk0 | sed 's/.*classes\":\[\"\([a-z]*\).*/\1/'"; }
# iproute2 6.15 has no words for the configuration of a block device.
blk_shown() {
	add "$BDF_blk0" && is block show type && vdpa dev config show x && gone
}
blk_refuses() {
	local attr

	for attr in "mac 02:00:00:00:00:16" "mtu 1500" "max_vqp 1"; do
		# shellcheck disable=SC2086	# name and value
		refused "not supported" "" add "$BDF_blk0" $attr || { echo "$attr"; return 1; }
	done
}

# --- statistics, configuration ----------------------------------------------------------
# Both need a driver that negotiated features.
running() { dev_add x "$vf" virtio_vdpa && net_up "$vf" s; }
stats_counted() {
	local kicks interrupts

	reach s || return
	kicks=$(($(stat_of x 1 kicks) + $(stat_of x 3 kicks)))
	interrupts=$(($(stat_of x 0 interrupts) + $(stat_of x 2 interrupts)))
	echo "$kicks kicks, $interrupts interrupts"
	[ $kicks -ge 5 ] && [ $interrupts -ge 1 ]
}
config_complete() {
	local out word

	out=$(vdpa dev config show x)
	for word in mac link max_vq_pairs mtu negotiated_features VERSION_1 ACCESS_PLATFORM; do
		grep -qw "$word" <<<"$out" || { echo "no $word in $out"; return 1; }
	done
}

# --- nothing is left --------------------------------------------------------------------
# Who allocated what still lives, by slub_debug=U: "CALLER COUNT" for each.
objects() {
	awk '$1 ~ /^[0-9]+$/ {n[$2] += $1} END {for (caller in n) print caller, n[caller]}' \
		/sys/kernel/debug/slab/kmalloc-*/alloc_traces \
		/sys/kernel/debug/slab/kernfs_node_cache/alloc_traces | sort
}
# grown BEFORE: callers with a new object for every second round, or more.
grown() {
	join -a 2 -e 0 -o 0,1.2,2.2 "$1" <(objects) |
		awk -v limit=$((rounds / 2)) '$3 - $2 >= limit' | grep .
}
add_del() {
	local i

	for ((i = 0; i < $1; i++)); do
		if ! add "$vf" || ! vdpa dev del x; then
			echo "round $i"
			return 1
		fi
	done
}
no_growth() {
	add_del 10 && objects >/tmp/before && add_del $rounds || return
	# RCU may still hold the last ones.
	wait_for "! grown /tmp/before >/dev/null" 10 && return
	grown /tmp/before
	return 1
}
nothing_left() { [ -z "$(vdpa dev show)" ] && [ -z "$(ls /sys/bus/vdpa/devices)" ]; }
unload() {
	echo 0 >"/sys/bus/pci/devices/$pf/sriov_numvfs" && modprobe -r vmdev_pci &&
		[ ! -e /sys/module/vmdev ] && [ -z "$(vdpa mgmtdev show)" ]
}

tap_plan 62
mark=$(dmesg_mark)
check "six functions become management devices" setup
check "mgmtdev show: classes, queues, features" mgmtdev_shows_all
check "unknown management device: ENODEV (show)" \
	refused "No such device" "" vdpa mgmtdev show pci/0000:7f:00.0
check "unknown management device: ENODEV (add)" \
	refused "No such device" "" vdpa dev add name x mgmtdev pci/0000:7f:00.0
check "a device named vdpa:$vf" vdpa dev add name "vdpa:$vf" mgmtdev "pci/$vf"
check "it is a direct child of the function" direct_child
check "a second device: EBUSY, its name is told" \
	refused "busy" "has a vDPA device already: vdpa:$vf" add "$vf"
check "a name that is taken: EEXIST" \
	refused "File exists" "name: there is a vDPA device vdpa:$vf\$" vdpa dev add name "vdpa:$vf" mgmtdev "pci/$vf1"
check "a name that no folder can have: EINVAL" \
	refused "Invalid argument" "name: not one that a folder can have" vdpa dev add name a/b mgmtdev "pci/$vf1"
check "that of a file of the function: EEXIST" \
	refused "File exists" "name: power is a file that the function has" vdpa dev add name power mgmtdev "pci/$vf1"
check "that of a folder which comes with vmdev_ctl: EEXIST" \
	refused "File exists" "name: vmdev_mgmt is a file .* or may have" vdpa dev add name vmdev_mgmt mgmtdev "pci/$vf1"
check "the other function is still free" add "$vf1"
check "dev del" gone
check "dev del of a name with colons" vdpa dev del "vdpa:$vf"
check "missing device: ENODEV (del)" refused "No such device" "" vdpa dev del x
check "missing device: ENODEV (show)" refused "No such device" "" vdpa dev show x
check "missing device: ENODEV (config)" refused "No such device" "" vdpa dev config show x
check "missing device: ENODEV (set)" \
	refused "No such device" "" vdpa dev set name x mac 02:00:00:00:00:10
check "missing device: ENODEV (vstats)" refused "No such device" "" vdpa dev vstats show x qidx 0

check "default features of a VF" defaults_of "$vf"
check "default features of a PF" defaults_of "$pf"
check "default features of a block function" defaults_of "$BDF_blk0"
check "features on request: exactly those" exactly_on_request
check "features that the hardware lacks: EOPNOTSUPP" lacking_refused
check "SR_IOV of a PF is not in its features" no_sriov_named
check "SR_IOV of a PF on request: EOPNOTSUPP" \
	refused "not supported" "hardware cannot offer 0x2000000000\$" \
	add "$pf" device_features "$(hex $((base | SR_IOV)))"
check "no VERSION_1: EINVAL" refused "Invalid argument" "VERSION_1 is missing" \
	add "$vf" device_features "$(hex $((base & ~VERSION_1)))"
check "no ACCESS_PLATFORM: EINVAL" refused "Invalid argument" "ACCESS_PLATFORM is missing" \
	add "$vf" device_features "$(hex $((base & ~ACCESS_PLATFORM)))"
check "MQ without CTRL_VQ: EINVAL" refused "Invalid argument" "MQ needs CTRL_VQ" \
	add "$vf" device_features "$(hex $((base | MQ)))"
check "a function without ACCESS_PLATFORM: EOPNOTSUPP" \
	refused "not supported" "function does not offer ACCESS_PLATFORM" add "$BDF_bare0"

check "queue pairs by default: all" pairs 2
check "max_vqp 2" pairs 2 max_vqp 2
check "max_vqp 1, fewer than the hardware has" pairs 1 max_vqp 1
check "no MQ: one pair" without_mq
check "max_vqp 2 without MQ: EINVAL, with a sentence" refused "Missing features 0x400000" "" \
	add "$vf" max_vqp 2 device_features "$(hex $((base | CTRL_VQ)))"
check "max_vqp 32: EOPNOTSUPP, then without" operator_retry
check "max_vqp 0: EINVAL" refused "Invalid argument" "" add "$vf" max_vqp 0

check "mtu 1500" mtu_shown 1500
check "mtu 9000, the hardware's" mtu_shown 9000
check "mtu 9001: EOPNOTSUPP" refused "not supported" "mtu 9001: hardware can do 68 to 9000" \
	add "$vf" mtu 9001
check "mtu 67: ERANGE" refused "out of range" "" add "$vf" mtu 67
check "mtu without MTU in device_features: EINVAL, with a sentence" \
	refused "Missing features 0x8" "" \
	add "$vf" mtu 1500 device_features "$(hex $base)"
check "mtu for hardware without: EOPNOTSUPP, with a sentence" \
	refused "attributes are not supported" "" add "$poor" mtu 1500
check "mac at dev add is shown" mac_shown
check "mac at dev set is shown" mac_set_shown
check "mac is what the hardware filters for" mac_on_the_wire
check "mac with packed rings" mac_on_the_wire \
	device_features "$(hex $((base | MAC | MTU | CTRL_VQ | CTRL_RX | EVENT_IDX | RING_PACKED)))"
check "mac of a group: EINVAL" refused "Invalid argument" "not an address of a station" \
	add "$vf" mac 03:00:00:00:00:10
check "mac while a driver runs the device: EBUSY" mac_set_while_running
check "mac for hardware that cannot: EOPNOTSUPP, with a sentence" \
	refused "attributes are not supported" "" add "$poor" mac 02:00:00:00:00:10
check "mac set on hardware that cannot: EOPNOTSUPP" poor_mac_set

check "block function: class block" blk_class
check "block function: device and config shown" blk_shown
check "block function: mac, mtu, max_vqp refused" blk_refuses
running
check "vstats count kicks and interrupts" stats_counted
check "vstats: index out of range, with a sentence" \
	refused "no queue 5, the device has 5" "" vdpa dev vstats show x qidx 5
check "config show is complete" config_complete
check "dev del under a netdev" gone
check "$rounds times dev add and dev del leave no memory behind" no_growth
check "no device is left" nothing_left
check "the modules can be unloaded" unload
check "a clean kernel log" clean_log "$mark"
tap_done
