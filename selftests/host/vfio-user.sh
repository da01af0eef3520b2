#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The vfio-user server library against a client without manners, under sanitizers. Runs on the
# host, built with the lab's compiler.
set -uo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

work=$(mktemp -d "$CACHE/vfio-user-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
rsync -a --filter=':- .gitignore' --relative "$TREE"/./selftests/{vfio_user,include} "$work/"
enter "$work:/lab/build" -- make -s -C /lab/build/selftests/vfio_user CC=gcc-14 run
