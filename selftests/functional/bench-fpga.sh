#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A slice of "make bench", of the FPGA (selftests/model): a packet costs no more while hardware logs what it
# writes, and suspension, resumption and the log take no more accesses to registers than are stated. What
# is measured of hardware that lies about its log does not count.
# lab: --icount --pfs 0 --fpga 2 --fpga-arg --pairs=16
# kernels: 6.12
# limit: 300
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

dir=/vmdev/selftests/bench
lines=/out/bench-fpga.jsonl

# caught FAULTS NUMBER WHY: with them (enum fpga_fault, selftests/model/model.h) it fails, and says why.
caught() {
	local said

	setpci -s "$BDF_fpga0" "e4.l=$2" "e0.l=$1"
	said=$("$dir/bench.sh" -q -r 1 fpga 2>&1 >/dev/null)
	setpci -s "$BDF_fpga0" e0.l=0
	echo "$said"
	vdpa dev del bench0 && vdpa dev del bench1 && [[ $said == *"$3"* ]]
}

tap_plan 27
tap_check "it is measured" eval "'$dir/bench.sh' -q -r 11 fpga >'$lines'"
tap_adopt "limit" python3 -B "$dir/report.py" tap <"$lines"
tap_check "a log that cannot be switched on" caught 4 0 "a queue that is not direct"
tap_check "a log that is deaf" caught 2 0 "a queue that is not direct"
tap_check "a log that loses one bit in 32" caught 1 20 "is not in the "
tap_check "a clean kernel log" clean_log
tap_done
