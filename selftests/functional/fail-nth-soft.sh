#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The sweep of fail-nth.sh on software devices: every allocation and every user copy fails, one
# after the other, of what people do with them.
# Arguments: scenarios of selftests/fault/fail_nth (those that are not about other hardware).
# lab: --vfs 0
# kernels: debug
# long-kernels: debug
# limit: 400
# long-limit: 2400
# shellcheck source=/dev/null
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

# Block devices, doorbells and functions are not of vmdev_soft.
[ $# -gt 0 ] || set -- 'dev_add_net*' 'dev_del*' dev_show dev_config_show dev_set_mac bind_vhost \
	unbind_vhost 'open*' 'map_*' 'unmap*' set_up rings 'driver_ok*' suspend 'get_base_*' \
	set_base_suspended resume reset config vstats_show close 'dirty_*' load_vmdev_soft
wanted=("$@")
options=(-m vmdev_soft -s "${SEED:-1}" -t 3000)
[ "${LONG-0}" != 1 ] || options+=(-f)
fail_nth() { /build/selftests/fault/fail_nth "${options[@]}" "$@"; }

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
modules_gone() {
	modprobe -r vmdev_soft vmdev_pci vmdev_irq vmdev vmdev_dirty && ! grep '^vmdev' /proc/modules
}

tap_plan $((4 + $(fail_nth -l "${wanted[@]}" | wc -l)))
tap_check "faults can be injected" arm
tap_check "modules load" soft_setup
put 16 /proc/sys/vm/nr_hugepages
tap_adopt fail-nth fail_nth "${wanted[@]}"
tap_check "no module is needed any more" modules_gone
tap_check "a clean kernel log" clean_log
tap_done
