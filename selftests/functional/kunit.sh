#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The KUnit suites of selftests/kunit: each case is a test here.
# kernels: debug
# limit: 600
# shellcheck source=/dev/null
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

results=/sys/kernel/debug/kunit

# suites: those that the tree has, by their names in it.
suites() {
	sed -nE 's/^\t\.name = "(vmdev_[a-z_]+)",$/\1/p; s/^VMDEV_SUITE\((vmdev_[a-z_]+),.*/\1/p' \
		/vmdev/selftests/kunit/*.c | sort
}
# cases SUITE: as its KTAP stream says, "ok NAME", "not ok NAME" or "skip NAME WHY".
cases() {
	sed -nE 's/^    ok [0-9]+ ([^ ]+) # SKIP ?(.*)/skip \1 \2/p; t
		s/^    ((not )?ok) [0-9]+ ([^ ]+).*/\1 \3/p' "$results/$1/results"
}
# planned SUITE: how many cases it meant to run.
planned() { sed -nE 's/^    1\.\.([0-9]+)$/\1/p' "$results/$1/results"; }

# report SUITE
report() {
	local line name

	while read -r line; do
		name=$1:\ ${line#* }
		case $line in
		"ok "*) tap_ok "$name" ;;
		"not ok "*)
			name=$1:\ ${line#not ok }
			tap_not_ok "$name" "$(grep -A 8 "# ${line#not ok }: " "$results/$1/results")"
			;;
		"skip "*)
			line=${line#skip }
			tap_skip "$1: ${line%% *}" "${line#* }"
			;;
		esac
	done < <(cases "$1")
}
ran_all() {
	echo "planned '$(planned "$1")', ran $(cases "$1" | wc -l)"
	[ "$(planned "$1")" -gt 0 ] && [ "$(cases "$1" | wc -l)" = "$(planned "$1")" ]
}

mapfile -t wanted < <(suites)
mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
modprobe vmdev_kunit
loaded=$?

n=4
for suite in "${wanted[@]}"; do
	[ ! -f "$results/$suite/results" ] || n=$((n + $(cases "$suite" | wc -l)))
	n=$((n + 1))
done
tap_plan $n
tap_check "vmdev_kunit loads" [ $loaded = 0 ]
tap_check "there are suites" [ ${#wanted[@]} -gt 0 ]
for suite in "${wanted[@]}"; do
	tap_check "$suite ran, all of it" ran_all "$suite"
	[ ! -f "$results/$suite/results" ] || report "$suite"
done
tap_check "vmdev_kunit goes" rmmod vmdev_kunit
tap_check "a clean kernel log" clean_log
tap_done
