#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The pure parts of the drivers, in user space under sanitizers: the KUnit suites, and simulations.
# Runs on the host, built with the lab's compiler.
set -uo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

work=$(mktemp -d "$CACHE/unit-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
rsync -a --filter=':- .gitignore' --relative "$TREE"/./{drivers,include,selftests/unit,selftests/kunit,selftests/include} "$work/"
enter "$work:/lab/build" -- make -s -C /lab/build/selftests/unit CC=gcc-14 run
