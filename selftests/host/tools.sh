#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The vmdev command under sanitizers, before a sysfs that is files and a netlink that is a program. Runs on
# the host, built with the lab's compiler.
set -uo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

work=$(mktemp -d "$CACHE/tools-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
rsync -a --filter=':- .gitignore' --relative "$TREE"/./{tools,include/uapi,selftests/tools,scripts/vm-lib.sh} "$work/"
enter "$work:/lab/build" -- make -s -C /lab/build/selftests/tools CC=gcc-14 &&
	enter "$work:/lab/build" -- bash /lab/build/selftests/tools/run.sh
