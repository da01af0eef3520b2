#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The vfio-user server library against a client without manners, and the FPGA model against a driver
# in its own process, under sanitizers. Runs on the host, built with the lab's compiler.
set -uo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

work=$(mktemp -d "$CACHE/vfio-user-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
rsync -a --filter=':- .gitignore' --relative "$TREE"/./selftests/{vfio_user,model,include} "$work/"
status=0
for dir in vfio_user model; do
	enter "$work:/lab/build" -- make -s -C /lab/build/selftests/$dir CC=gcc-14 run || status=1
done
exit $status
