#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The sweep of fail-nth.sh on software devices: every allocation and every user copy fails, one
# after the other, of what people do with them.
# Arguments: a management device and scenarios of selftests/fault/fail_nth, such as vmdev_soft_blk rings.
# lab: --vfs 0
# kernels: debug
# long-kernels: debug
# limit: 400
# long-limit: 2400
# shellcheck source=/dev/null
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

# Doorbells and functions are not of vmdev_soft. NICs, then what is different with a disk: how it is
# made, and what its rings do.
nic=('dev_add_net*' 'dev_del*' dev_show dev_config_show dev_set_mac bind_vhost
	unbind_vhost 'open*' 'map_*' 'unmap*' set_up rings 'driver_ok*' suspend 'get_base_*'
	set_base_suspended resume reset config vstats_show close 'dirty_*')
disk=(dev_add_blk dir_make dir_path dev_add_path dev_del dev_del_vhost dev_config_show bind_vhost
	bind_virtio_blk set_up rings driver_ok suspend set_base_suspended resume reset config close
	dirty_start load_vmdev_soft)
runs=("vmdev_soft ${nic[*]}" "vmdev_soft_blk ${disk[*]}")
[ $# = 0 ] || runs=("$*")
options=(-s "${SEED:-1}" -t 3000)
[ "${LONG-0}" != 1 ] || options+=(-f)
fail_nth() { /build/selftests/fault/fail_nth "${options[@]}" "$@"; }
list() {
	local run args

	for run in "${runs[@]}"; do
		read -ra args <<<"$run"
		fail_nth -lm "${args[@]}"
	done
}

# Whatever may wait for memory may be told that there is none, and in silence.
arm() {
	local dir

	for dir in failslab fail_page_alloc fail_usercopy; do
		put 0 "/sys/kernel/debug/$dir/verbose" || return
	done
	put N /sys/kernel/debug/failslab/ignore-gfp-wait &&
		put N /sys/kernel/debug/failslab/cache-filter &&
		put N /sys/kernel/debug/fail_page_alloc/ignore-gfp-wait &&
		put N /sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem &&
		put 0 /sys/kernel/debug/fail_page_alloc/min-order
}
# A kernel that cannot load a module for want of memory says so at length: that is no splat.
dmesg() { command dmesg | sed '/vmalloc error: size\|page allocation failure:/,/<\/TASK>/d'; }
# What a disk is over; and its driver is there before it is wanted.
disks() {
	modprobe virtio_blk && truncate -s 8M /dev/shm/fail_nth || return
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
}
modules_gone() {
	modprobe -r vmdev_soft vmdev_pci vmdev_irq vmdev vmdev_dirty && ! grep '^vmdev' /proc/modules
}

tap_plan $((5 + $(list | wc -l)))
tap_check "faults can be injected" arm
tap_check "modules load" soft_setup
tap_check "a disk can be made of a file" disks
put 16 /proc/sys/vm/nr_hugepages
for run in "${runs[@]}"; do
	read -ra args <<<"$run"
	tap_adopt "${args[0]}" fail_nth -m "${args[@]}"
done
tap_check "no module is needed any more" modules_gone
tap_check "a clean kernel log" clean_log
tap_done
