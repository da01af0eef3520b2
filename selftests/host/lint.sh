#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# make lint has nothing to say. Runs on the host.
set -uo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/scripts/vm-lib.sh"

tap_plan 3
tap_check "checkpatch --strict" "$TREE/scripts/lint" checkpatch
tap_check "sparse and W=1" "$TREE/scripts/lint" sparse
tap_check "shellcheck" "$TREE/scripts/lint" shellcheck
tap_done
