#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Memory that is copied by the dirty log, while software devices write it in every way, is the same
# in the end: they run straight on the guest's rings, and mark what they write themselves.
# lab: --vfs 0 --blk 1 --blk-prop packed=on --blk-prop num-queues=3
# limit: 400
# long-limit: 1800
# long-kernels: 6.12 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh
. /vmdev/selftests/oracle/oracle.sh

runs=100000 seconds=60
[ "${LONG-0}" != 1 ] || runs=1000 seconds=0

random() {
	local status=0

	oracle -l -s "${SEED:-20260301}" -r $runs -t $seconds "$@" >/out/oracle || status=$?
	tail -n 40 /out/oracle
	return $status
}

tap_plan 6
# A bridge takes its time with a port that comes up, and frames are lost meanwhile.
tap_check "modules" soft_setup linger_ms=600000
tap_check "devices" oracle_soft_devices
tap_check "no recycled buffer is lost (cloud-hypervisor PR 7743), split" oracle -l -c split
tap_check "no recycled buffer is lost (cloud-hypervisor PR 7743), packed" oracle -l -c packed
tap_check "memory is the same after each migration" random "$@"
grep '^#' /out/oracle
tap_check "a clean kernel log" clean_log
tap_done
