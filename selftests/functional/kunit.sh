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

# outcomes SUITE...: of their KTAP streams, a line for each case: "ok NAME", "not ok NAME" or
# "skip NAME # WHY", what was said about it before in "# ..."; and one for each suite that did
# not run as many cases as it planned. One process for all, as they are slow to make here.
outcomes() {
	awk -v dir="$results" '
		function suite(name,	line, n, planned, said, parts) {
			planned = -1
			while ((getline line <(dir "/" name "/results")) > 0) {
				if (line ~ /^    1\.\.[0-9]+$/) {
					planned = substr(line, 8) + 0
				} else if (line ~ /^    (not )?ok [0-9]+ /) {
					n++
					sub(/^ */, "", line)
					split(line, parts, " # SKIP ?")
					sub(/ok [0-9]+ /, "ok " name ": ", parts[1])
					sub(/ # .*/, "", parts[1])
					if (line ~ / # SKIP/)
						print "skip " substr(parts[1], 4) " # " parts[2]
					else
						print parts[1]
					if (line ~ /^not ok/)
						printf "%s", said
					said = ""
				} else if (planned >= 0) {
					said = said "# " line "\n"
				}
			}
			if (n > 0 && n == planned)
				print "ok " name ": all of it ran"
			else
				print "not ok " name ": all of it ran\n# planned " planned ", ran " n + 0
		}
		BEGIN { for (i = 1; i < ARGC; i++) suite(ARGV[i]) }
	' "$@"
}

mapfile -t wanted < <(suites)
mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
modprobe vmdev_kunit
loaded=$?
mapfile -t lines < <(outcomes "${wanted[@]}")

n=4
for line in "${lines[@]}"; do
	[[ $line == "#"* ]] || n=$((n + 1))
done
tap_plan $n
tap_check "vmdev_kunit loads" [ $loaded = 0 ]
tap_check "there are suites" [ ${#wanted[@]} -gt 0 ]
for line in "${lines[@]}"; do
	case $line in
	"ok "*) tap_ok "${line#ok }" ;;
	"not ok "*) tap_not_ok "${line#not ok }" ;;
	"skip "*)
		line=${line#skip }
		tap_skip "${line%% # *}" "${line#* # }"
		;;
	*) echo "$line" ;;
	esac
done
tap_check "vmdev_kunit goes" rmmod vmdev_kunit
tap_check "a clean kernel log" clean_log
tap_done
