#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every allocation and every user copy of what people do with the modules fails, one after the
# other: an error with a sane errno or success, nothing left behind, and then it works.
# Arguments: scenarios of selftests/fault/fail_nth (all).
# lab: --blk 1 --prop page-per-vq=on --prop host_mtu=1500
# kernels: debug
# long-kernels: debug
# limit: 400
# long-limit: 2400
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

[ $# -gt 0 ] || set -- '*'
options=(-s "${SEED:-1}" -t 3000)
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

# of ONES...: those scenarios of ONES that were asked for.
of() {
	local name one

	for name in $(fail_nth -l "${wanted[@]}"); do
		for one; do
			# shellcheck disable=SC2053	# a pattern
			[[ $name != $one ]] || echo "$name"
		done
	done
}
sweep() {
	local names

	mapfile -t names < <(of "$@")
	[ ${#names[@]} = 0 ] || tap_adopt fail-nth fail_nth "${names[@]}"
}

wanted=("$@")
take() { bind_driver "$BDF_vf0_0" vmdev_pci && bind_driver "$BDF_blk0" vmdev_pci; }
# A kernel that cannot load a module for want of memory says so at length: that is no splat.
dmesg() { command dmesg | sed '/vmalloc error: size\|page allocation failure:/,/<\/TASK>/d'; }
modules_gone() { modprobe -r vmdev_pci vmdev_irq vmdev vmdev_dirty && ! grep '^vmdev' /proc/modules; }

tap_plan $((6 + $(fail_nth -l "$@" | wc -l)))
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
tap_check "faults can be injected" arm
tap_check "modules load" vdpa_setup
put 16 /proc/sys/vm/nr_hugepages
tap_check "they take functions" take
sweep '[!ls]*' 'set_*' 'suspend'
unbind_driver "$BDF_vf0_0"
unbind_driver "$BDF_blk0"
put 0 "/sys/bus/pci/devices/$BDF_pf0/sriov_numvfs"
echo 0 >"/sys/bus/pci/devices/$BDF_pf0/sriov_drivers_autoprobe"
unbind_driver "$BDF_pf0"
echo vmdev_pci >"/sys/bus/pci/devices/$BDF_pf0/driver_override"
sweep 'sriov*'
unbind_driver "$BDF_pf0"
tap_check "no module is needed any more" modules_gone
# Probes have scenarios of their own.
echo >"/sys/bus/pci/devices/$BDF_pf0/driver_override"
echo >"/sys/bus/pci/devices/$BDF_blk0/driver_override"
sweep 'load_*'
tap_check "a clean kernel log" clean_log
tap_done
