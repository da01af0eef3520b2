#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# make lint has nothing to say. Runs on the host.
set -uo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/scripts/vm-lib.sh"

# What cannot be planted any more would be missed in make check-long only.
plants_apply() {
	local dir patch status=0

	dir=$(mktemp -d)
	cp -a "$TREE/drivers" "$dir"
	for patch in "$TREE"/selftests/oracle/plants/*.patch; do
		patch -s -p1 -F 0 -r - --no-backup-if-mismatch -d "$dir" <"$patch" && continue
		echo "${patch##*/} has to be made anew: what it patches has changed"
		status=1
	done
	rm -rf "$dir"
	return $status
}

tap_plan 6
tap_check "checkpatch --strict" "$TREE/scripts/lint" checkpatch
tap_check "sparse and W=1" "$TREE/scripts/lint" sparse
tap_check "shellcheck" "$TREE/scripts/lint" shellcheck
tap_check "the manual page" "$TREE/scripts/lint" man
tap_check "what is made of the netlink specification" "$TREE/scripts/lint" netlink
tap_check "the oracle's planted faults apply" plants_apply
tap_done
