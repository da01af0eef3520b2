# SPDX-License-Identifier: GPL-2.0
# Sourced by the host side scripts: where things are, and how to step into the lab's root.
# shellcheck shell=bash

TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${VMDEV_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vmdev}
ROOT=${VMDEV_ROOT:-$CACHE/root}	# Debian tree: builds, QEMU and the kernels come from here
BUILD=${VMDEV_BUILD:-$CACHE/build}	# modules and selftests of this tree, as the VM sees them
VMROOT=$CACHE/vm-root	# the part of it that the VM sees (hard links)
export TREE CACHE ROOT BUILD VMROOT

say() { printf '[%4ds] %s\n' "$SECONDS" "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# host_install COMMAND=PACKAGE...: install the packages whose command is missing.
host_install() {
	local pair missing=()

	for pair; do
		command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
	done
	[ ${#missing[@]} -eq 0 ] && return
	say "host: apt-get install ${missing[*]}"
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
		"${missing[@]}" >/dev/null
}

# enter [OPTION...] [SRC:DST[:ro]...] -- CMD...: run CMD in the root, see lab/enter.
enter() { "$TREE/scripts/lab/enter" "$@"; }

# kernel_release 6.12|7.2|RELEASE|debug: the release string of an installed kernel.
kernel_release() {
	local dir

	if [ "$1" = debug ]; then
		cat "$CACHE/debug/release" 2>/dev/null || die "no debug kernel (run scripts/lab-build debug)"
		return
	fi
	for dir in "$ROOT/lib/modules/$1" "$ROOT/lib/modules/$1".*; do
		[ -d "$dir" ] && { echo "${dir##*/}"; return; }
	done
	die "no kernel $1 in the lab (run scripts/lab-build)"
}
