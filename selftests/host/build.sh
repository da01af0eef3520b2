#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The modules build without a warning on every kernel and compiler that is supported, as do the
# programs of the tests; make clean leaves nothing behind, and a kernel without vDPA is refused in
# words. Runs on the host; the builds with gcc-14 stay in the lab for the VM tests.
set -uo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/scripts/vm-lib.sh"

work=$(mktemp -d "$CACHE/build-test.XXXXXX")
trap 'rm -rf "$work"' EXIT

# quiet CMD...: succeeds, without a word but progress.
quiet() {
	local out status=0

	out=$("$@" 2>&1) || status=$?
	out=$(grep -vE '^\[ *[0-9]+s\] ' <<<"$out")
	[ -z "$out" ] || printf '%s\n' "$out" | head -n 40
	[ $status = 0 ] && [ -z "$out" ]
}

# fresh NAME: a copy of what a build needs, in $work/NAME; the same for all.
fresh() { cp -a "$work/pristine" "$work/$1"; }

# build NAME KERNEL CC [VARIABLE=VALUE...]
build() {
	local release name=$1 cc=$3

	release=$(kernel_release "$2")
	shift 3
	fresh "$name" && quiet enter "$work/$name:/lab/build" -- make -s -j"$(nproc)" -C /lab/build modules \
		KDIR="/lib/modules/$release/build" CC="$cc" W=1 VMDEV_WERROR=y "$@" || return
	# -s says nothing either way.
	[ "$(find "$work/$name" -name '*.ko' -printf '%f\n' | sort | xargs)" = \
		"vmdev.ko vmdev_ctl.ko vmdev_dirty.ko vmdev_irq.ko vmdev_mdev.ko vmdev_pci.ko vmdev_soft.ko" ] ||
		{ echo "not all modules are there"; return 1; }
}

clean_leaves_nothing() {
	quiet enter "$work/gcc-12:/lab/build" -- make -s -C /lab/build clean &&
		diff -r "$work/pristine" "$work/gcc-12"
}

# As headers of a kernel from before the vDPA bus: no vdpa.h.
no_vdpa() {
	local release headers

	release=$(kernel_release 6.12)
	headers=$(readlink -f "$ROOT/lib/modules/$release/source")
	fresh bare || return
	cp -al "$headers" "$work/headers" && rm "$work/headers/include/linux/vdpa.h" || return
	if enter "$work/bare:/lab/build" "$work/headers:${headers#"$ROOT"}" -- make -s -C /lab/build \
		modules KDIR="/lib/modules/$release/build" CC=gcc-14 >"$work/bare.log" 2>&1; then
		echo "it built"
		return 1
	fi
	grep -q 'error: #error .*CONFIG_VDPA' "$work/bare.log" || { head -n 20 "$work/bare.log"; return 1; }
}

# That of the VM tests is made over the one before it, and may find there what nobody makes.
programs() {
	mkdir "$work/programs" &&
		rsync -a --filter=':- .gitignore' "$TREE"/{.gitignore,include,selftests} "$work/programs/" &&
		quiet enter "$work/programs:/lab/build" -- make -s -j"$(nproc)" -C /lab/build/selftests CC=gcc-14
}

# Debian 13 configured its kernels for gcc-14; a kernel that gcc-12 built has these unset.
GCC_12=(CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=)

mkdir "$work/pristine"
rsync -a --filter=':- .gitignore' "$TREE"/{.gitignore,Kbuild,Makefile,dkms.conf,compat,drivers,include} "$work/pristine/"

tap_plan 8
tap_check "6.12 with gcc-14, W=1 -Werror" quiet "$TREE/scripts/lab-modules" 6.12
tap_check "7.2 with gcc-14, W=1 -Werror" quiet "$TREE/scripts/lab-modules" 7.2
tap_check "7.3 with gcc-14, W=1 -Werror" build gcc-14-7.3 7.3 gcc-14
tap_check "6.12 with gcc-12, W=1 -Werror" build gcc-12 6.12 gcc-12 "${GCC_12[@]}"
tap_check "7.2 with gcc-12, W=1 -Werror" build gcc-12-7.2 7.2 gcc-12 "${GCC_12[@]}"
tap_check "the programs of the tests, from nothing" programs
tap_check "make clean leaves what was there before" clean_leaves_nothing
tap_check "headers without vDPA are refused in words" no_vdpa
tap_done
