#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vmdev_mdev: mdevs whose vDPA device is on a VF, on a function of its own, or is software: types,
# attributes, use, and the end of either by whoever wants that; mdevctl.
# lab: --vfs 3 --queues 2 --blk 1 --prop host_mtu=1500
# limit: 400
# long-kernels: debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh
. /vmdev/selftests/mdev/lib.sh

pf=$BDF_pf0 vf=$BDF_vf0_0 blk=$BDF_blk0
log=/tmp/hold.log
a=11111111-1111-4111-8111-11111111111a
b=11111111-1111-4111-8111-11111111111b
c=11111111-1111-4111-8111-11111111111c

# --- types -------------------------------------------------------------------------------
pf_types() {
	types_are "$pf" vmdev_pci-net vmdev_pci-net-1q &&
		type_says "$pf" vmdev_pci-net device_api virtio-vdpa &&
		type_says "$pf" vmdev_pci-net name virtio-net &&
		type_says "$pf" vmdev_pci-net description '.*up to 2 queue pairs' &&
		type_says "$pf" vmdev_pci-net-1q description '.*1 queue pair'
}
blk_types() { types_are "$blk" vmdev_pci-blk && type_says "$blk" vmdev_pci-blk description '.*virtio-blk'; }
soft_types() {
	types_are vmdev_soft vmdev_soft-net vmdev_soft-net-1q && types_are vmdev_soft_blk vmdev_soft-blk
}
# Of both types of the PF, and of its first VF.
left() {
	available "$pf" vmdev_pci-net "$1" && available "$pf" vmdev_pci-net-1q "$1" &&
		available "$vf" vmdev_pci-net "${2-$((${1} == 3))}"
}

# --- a device ----------------------------------------------------------------------------
child_of_vf() {
	local dir

	dir=$(readlink -f "$(vdpa_of $a)")
	echo "$dir"
	[[ $(basename "$(dirname "$dir")") = "$vf" ]]
}
shown() { vdpa dev show "mdev-$1" | grep "type network mgmtdev pci/$vf "; }
attr() { [ "$(cat "$mdevs/$1/$2")" = "$3" ] || { cat "$mdevs/$1/$2"; return 1; }; }
device_says() { vdpa dev config show "mdev-$1" | grep -E "$2" || { vdpa dev config show "mdev-$1"; return 1; }; }
vqs() { vdpa dev show "mdev-$1" | grep " max_vqs $2 " || { vdpa dev show "mdev-$1"; return 1; }; }
# user_space UUID: holds it, and runs it; not in tap_check.
user_space() { use_bus "mdev-$1" vhost_vdpa && hold $log "mdev-$1" -t; }
runs() { grep READY $log; }
runs_on_host() { use_bus "mdev-$a" virtio_vdpa && net_up "$vf" host && reach host; }

lifecycle() {
	tap_check "create on the PF" create "$pf" vmdev_pci-net $a
	tap_check "its vDPA device is a child of a VF" child_of_vf
	tap_check "linked from the mdev, and to it" linked $a
	tap_check "vdpa dev show" shown $a
	tap_check "one VF less, for both types, and for the VF itself" left 2
	tap_check "vdpa dev add on that VF: busy" refused "Device or resource busy" 'already: mdev-' \
		vdpa dev add name x mgmtdev "pci/$vf"
	tap_check "the same UUID again" errno "File exists" create "$pf" vmdev_pci-net $a
	tap_check "virtio_vdpa runs it" runs_on_host
	tap_check "used: mac is refused" errno "Device or resource busy" set_attr $a mac 52:54:00:aa:bb:cc
	user_space $a
	tap_check "user space runs it" runs
	tap_check "used: queue_pairs is refused" errno "Device or resource busy" set_attr $a queue_pairs 1
	tap_check "used: mtu is refused" errno "Device or resource busy" set_attr $a mtu 1400
	let_go
	tap_check "remove" gone $a
	tap_soon "the VF is free again" wait_for "left 3 >/dev/null" "$SOON"
	net_away host
}
net_away() { ip netns del "$1"; }

attributes() {
	create "$pf" vmdev_pci-net $a
	tap_check "2 queue pairs by default" eval "attr $a queue_pairs 0 && vqs $a 5"
	tap_check "mac" set_attr $a mac 52:54:00:aa:bb:cc
	tap_check "the device has it" device_says $a 'mac 52:54:00:aa:bb:cc'
	tap_check "mtu" set_attr $a mtu 1400
	tap_check "the device has both" device_says $a 'mac 52:54:00:aa:bb:cc .*mtu 1400'
	tap_check "queue_pairs 1" eval "set_attr $a queue_pairs 1 && vqs $a 3"
	tap_check "they are read back" eval "attr $a mac 52:54:00:aa:bb:cc && attr $a mtu 1400 && attr $a queue_pairs 1"
	tap_check "back to the default" eval "set_attr $a queue_pairs 0 && set_attr $a mtu 0 && vqs $a 5"
	tap_check "mtu that is too large" refused "Operation not supported" 'mtu 9000' set_attr $a mtu 9000
	tap_check "too many queue_pairs" refused "Operation not supported" 'max_vqp 3' set_attr $a queue_pairs 3
	tap_check "no mac" errno "Invalid argument" set_attr $a mac 52:54
	tap_check "a mac of a group" errno "Invalid argument" set_attr $a mac 01:00:5e:00:00:01
	tap_check "no number" errno "Invalid argument" set_attr $a mtu many
	tap_check "it is what it was" eval "linked $a && vqs $a 5 && device_says $a 'mac 52:54:00:aa:bb:cc'"
	user_space $a
	tap_check "in use it has the mac" eval "runs && device_says $a 'mac 52:54:00:aa:bb:cc'"
	let_go
	gone $a
	tap_check "net-1q: one queue pair" eval "create $pf vmdev_pci-net-1q $b && vqs $b 3 && attr $b queue_pairs 1"
	tap_check "net-1q: never two" errno "Operation not supported" set_attr $b queue_pairs 2
	tap_check "net-1q: remove" gone $b
	echo 0 >/sys/module/vmdev_mdev/parameters/create_enabled
	tap_check "create_enabled=0: no vDPA device yet" eval "create $pf vmdev_pci-net $a && not linked $a && left 3 && attr $a enable 0"
	tap_check "attributes, then enable" eval "set_attr $a queue_pairs 1 && set_attr $a enable 1 && linked $a && vqs $a 3 && left 2"
	echo 1 >/sys/module/vmdev_mdev/parameters/create_enabled
	tap_check "enable again: nothing happens" eval "set_attr $a enable 1 && linked $a"
	tap_check "disable" eval "set_attr $a enable 0 && not linked $a && attr $a enable 0 && left 3"
	tap_check "remove one without a device" gone $a
}

either_side() {
	create "$pf" vmdev_pci-net $a
	tap_check "vdpa dev del" vdpa dev del mdev-$a
	tap_check "the mdev is there, and has none" eval "[ -d $mdevs/$a ] && not linked $a && attr $a enable 0 && no_vdpa $a"
	tap_check "the VF is free" left 3
	tap_check "vdpa dev add takes it" eval "vdpa dev add name x mgmtdev pci/$vf && left 2"
	tap_check "another VF serves the mdev" eval "set_attr $a enable 1 && linked $a && left 1 0"
	create "$pf" vmdev_pci-net $b
	tap_check "the last one" left 0
	tap_check "no VF is left" errno "Too many users" create "$pf" vmdev_pci-net $c
	tap_check "nothing is left of the attempt" eval "[ ! -e $mdevs/$c ] && left 0"
	tap_check "vdpa dev del of the other" eval "vdpa dev del x && left 1 1"
	tap_check "create on the VF itself" eval "create $vf vmdev_pci-net $c && shown $c && left 0"
	tap_check "remove all" eval "gone $a && gone $b && gone $c && left 3"
}

in_use() {
	local mark begin

	create "$pf" vmdev_pci-net $a
	user_space $a
	mark=$(dmesg_mark)
	begin=${EPOCHREALTIME/./}
	put 1 "$mdevs/$a/remove"
	took=$(((${EPOCHREALTIME/./} - begin) / 1000))
	tap_check "remove in use returns at once ($took ms)" [ $took -lt 2000 ]
	tap_check "the mdev is gone" [ ! -e "$mdevs/$a" ]
	tap_check "the holder is told" told $log
	tap_check "one line names him" logged "$mark" 1 "is to be removed, waiting until hold_open \(pid $HOLDER\) closes it"
	tap_check "his VF is not free" left 2 0
	tap_check "vdpa goes on meanwhile" eval "vdpa dev show mdev-$a && create $pf vmdev_pci-net $b && gone $b"
	later vdpa dev del mdev-$a
	tap_soon "vdpa dev del of it does not wait" ends "$SOON"
	tap_check "the same UUID: not yet" errno "File exists" create "$pf" vmdev_pci-net $a
	tap_check "nothing is left of the attempt" [ ! -e "$mdevs/$a" ]
	let_go
	tap_soon "soon after the close it is gone" wait_for "no_vdpa $a" "$SOON"
	tap_soon "and the VF free" wait_for "left 3 >/dev/null" "$SOON"
	tap_check "the same UUID again" create "$pf" vmdev_pci-net $a
	user_space $a
	later vdpa dev del mdev-$a
	told $log
	tap_check "vdpa dev del waits for the holder" pending
	tap_check "the mdev has no device any more" eval "not linked $a && attr $a enable 0"
	tap_check "and can be removed" eval "put 1 $mdevs/$a/remove && [ ! -e $mdevs/$a ]"
	let_go
	tap_soon "it is done soon after the close" ends "$SOON"
	tap_check "the VF is free" left 3
}

unbinding() {
	create "$pf" vmdev_pci-net $a
	user_space $a
	later put "$vf" /sys/bus/pci/drivers/vmdev_pci/unbind
	tap_check "the VF is unbound: the holder is told" told $log
	tap_check "that waits for him" pending
	let_go
	tap_soon "it is done soon after the close" ends "$SOON"
	tap_check "the mdev is there, and has no device" eval "not linked $a && no_vdpa $a"
	tap_check "two VFs are left" available "$pf" vmdev_pci-net 2
	tap_check "the next one serves it" eval "set_attr $a enable 1 && linked $a"
	tap_check "numvfs=0 takes them all away" eval "put 0 /sys/bus/pci/devices/$pf/sriov_numvfs && not linked $a && no_vdpa $a"
	tap_check "without VFs the PF serves it" eval "available $pf vmdev_pci-net 1 && set_attr $a enable 1 && vdpa dev show mdev-$a | grep 'pci/$pf '"
	tap_check "the PF is unbound: all go" eval "unbind_driver $pf && no_vdpa $a && [ ! -e $mdevs/$a ]"
	tap_check "and are back with it" eval "vfs_ours && left 3"
}

# Who waits for user space waits alone.
rebinds() {
	(unbind_driver "$1" && bind_driver "$1" vmdev_pci && : >/tmp/rebound) &
	wait_for "[ -e /tmp/rebound ]" 20
}
reload_in_use() {
	create "$pf" vmdev_pci-net $a
	user_space $a
	later modprobe -r vmdev_mdev
	tap_check "modprobe -r vmdev_mdev: the holder is told" told $log
	tap_check "that waits for him" pending
	tap_check "another function is unbound and bound meanwhile" rebinds "$blk"
	let_go
	tap_soon "it is done soon after the close" ends "$SOON"
	tap_check "and is there again" eval "modprobe vmdev_mdev && pf_types && left 3 && blk_types"
}

reload() {
	create "$pf" vmdev_pci-net $a
	create "$vf" vmdev_pci-net $b 2>/dev/null
	create vmdev_soft vmdev_soft-net $c
	vdpa dev add name x mgmtdev vmdev_soft
	tap_check "modprobe -r vmdev_mdev: mdevs go, and their devices" eval "modprobe -r vmdev_mdev && no_vdpa $a && no_vdpa $c"
	tap_check "other devices do not" vdpa dev show x
	tap_check "no types are left" [ ! -e "/sys/bus/pci/devices/$pf/mdev_supported_types" ]
	vdpa dev del x
	dev_add x "$vf" vhost_vdpa && hold $log x -t
	tap_check "all else works without" runs
	let_go
	vdpa dev del x
	tap_check "back again" eval "modprobe vmdev_mdev && pf_types && left 3"
}

others() {
	tap_check "a disk" eval "create $blk vmdev_pci-blk $a && available $blk vmdev_pci-blk 0 && vdpa dev show mdev-$a | grep 'type block'"
	tap_check "it has no mac" [ ! -e "$mdevs/$a/mac" ]
	tap_check "virtio_vdpa reads it" eval "use_bus mdev-$a virtio_vdpa && wait_for '[ -b /dev/\$(block_of $blk) ]' 10 && dd if=/dev/\$(block_of $blk) of=/dev/null bs=64k count=8 iflag=direct"
	tap_check "remove under virtio_vdpa" eval "gone $a && available $blk vmdev_pci-blk 1"
	tap_check "software: two devices" eval "create vmdev_soft vmdev_soft-net-1q $a && create vmdev_soft vmdev_soft-net-1q $b && available vmdev_soft vmdev_soft-net 1022"
	use_bus mdev-$a virtio_vdpa && guest mdev-$a ga 10.9.0.1
	use_bus mdev-$b virtio_vdpa && guest mdev-$b gb 10.9.0.2
	wire mdev-$a mdev-$b
	tap_check "they talk to each other" pings ga 10.9.0.2
	tap_check "del_mgmtdev: refused" errno "Device or resource busy" put vmdev_soft /sys/class/vmdev_soft/del_mgmtdev
	tap_check "remove" eval "gone $a && gone $b && available vmdev_soft vmdev_soft-net 1024"
	echo 0 >/sys/module/vmdev_mdev/parameters/create_enabled
	create vmdev_soft_blk vmdev_soft-blk $a
	echo 1 >/sys/module/vmdev_mdev/parameters/create_enabled
	tap_check "a software disk" eval "set_attr $a enable 1 && vdpa dev show mdev-$a | grep 'type block' && set_attr $a enable 0"
	tap_check "its management device goes, and the mdev" eval "put vmdev_soft_blk /sys/class/vmdev_soft/del_mgmtdev && [ ! -e $mdevs/$a ]"
}

# --- mdevctl -----------------------------------------------------------------------------
ctl() { mdevctl "$@"; }
defined() { ctl list -d -u "$1" | grep -E "$1 $pf vmdev_pci-net .*$2"; }
running() { ctl list -u "$1" | grep "$1 $pf vmdev_pci-net"; }
by_mdevctl() {
	tap_check "mdevctl types" eval "mdevctl types -p $pf | grep -A1 vmdev_pci-net-1q | grep 'Available instances: 3'"
	tap_check "mdevctl define" ctl define -u $a -p "$pf" -t vmdev_pci-net --auto
	tap_check "mdevctl modify: attributes" eval "ctl modify -u $a --addattr mac --value 52:54:00:01:02:03 && ctl modify -u $a --addattr queue_pairs --value 1"
	tap_check "mdevctl start" ctl start -u $a
	tap_check "mdevctl list" running $a
	tap_check "it is as it was defined" eval "vqs $a 3 && device_says $a 'mac 52:54:00:01:02:03' && linked $a"
	tap_check "mdevctl stop" eval "ctl stop -u $a && no_vdpa $a && not running $a && left 3"
	tap_check "start, stop, start" eval "ctl start -u $a && ctl stop -u $a && ctl start -u $a && linked $a"
	tap_check "reload: nothing runs" eval "modprobe -r vmdev_mdev && modprobe vmdev_mdev && not running $a"
	tap_check "the definition is there" defined $a auto
	tap_check "what udev does when the parent is there" eval "ctl start-parent-mdevs $pf && running $a && vqs $a 3"
	tap_check "mdevctl stop, undefine" eval "ctl stop -u $a && ctl undefine -u $a && not defined $a"
}

tap_plan 116
tap_check "modules" eval "vdpa_setup && modprobe -a vmdev_soft vmdev_mdev && $no_ipv6"
tap_check "a PF, its VFs and a disk are ours" eval "vfs_ours && bind_driver $blk vmdev_pci"
tap_check "types of the PF" pf_types
tap_check "types of a VF" types_are "$vf" vmdev_pci-net vmdev_pci-net-1q
tap_check "types of a disk" blk_types
tap_check "types of software" soft_types
tap_check "three VFs" left 3
lifecycle
attributes
either_side
in_use
unbinding
reload_in_use
reload
others
by_mdevctl
tap_check "modprobe -r" eval "modprobe -r vmdev_mdev && modprobe -r vmdev_soft"
tap_check "a clean kernel log" clean_log
tap_done
