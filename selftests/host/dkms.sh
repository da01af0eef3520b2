#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Installing: by DKMS on each kernel, by make install, and nowhere that it cannot run.
# Runs on the host, in a throw-away overlay of the lab's root.
set -uo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TREE/scripts/vm-lib.sh"

# The overlay lives and dies with a mount namespace; in memory, for overlays do not nest.
if [ "${1-}" != inside ]; then
	work=$(mktemp -d "$CACHE/dkms-test.XXXXXX")
	unshare --mount --propagation private "$0" inside "$work"
	status=$?
	rmdir "$work"
	exit $status
fi
work=$2
mount -t tmpfs tmpfs "$work" || exit
mkdir "$work"/{upper,work,root,src}
if ! mount -t overlay overlay -o "lowerdir=$ROOT,upperdir=$work/upper,workdir=$work/work" "$work/root"; then
	echo "1..0 # SKIP no overlay file system on this machine"
	exit
fi
r612=$(kernel_release 6.12)
r72=$(kernel_release 7.2)
built=$BUILD/$r612
export VMDEV_ROOT=$work/root ROOT=$work/root
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$TREE/dkms.conf")
package=vmdev/$version

# source_installed: where a person would put it.
source_installed() {
	enter "$TREE:/lab/build:ro" -- make -s -C /lab/build dkms-source && enter -- dkms add "$package" &&
		[ -z "$(find "$ROOT/usr/src/vmdev-$version" -name '*.ko' -o -name '*.o')" ]
}

# installed RELEASE
installed() { enter -- dkms status "$package" -k "$1" | grep -q ": installed"; }
dkms_install() {
	enter -- dkms install "$package" -k "$1" && installed "$1" && return
	tail -n 20 "$ROOT/var/lib/dkms/$package/build/make.log" 2>/dev/null
	return 1
}

# found RELEASE DIR: depmod and modinfo know all modules, in DIR.
found() {
	local module file

	for module in vmdev vmdev_ctl vmdev_dirty vmdev_irq vmdev_pci vmdev_soft vmdev_mdev; do
		file=$(enter -- modinfo -k "$1" -F filename "$module") || return
		[[ $file == /lib/modules/$1/updates/$2* ]] || { echo "$module is $file"; return 1; }
		[ "$(enter -- modinfo -k "$1" -F license "$module")" = GPL ] || return
		[[ $(enter -- modinfo -k "$1" -F vermagic "$module") == "$1 "* ]] || return
	done
}

# pulls RELEASE: modprobe vmdev_pci brings what it needs, and binds to nothing by itself.
pulls() {
	local depends module

	depends=$(enter -- modprobe -S "$1" -n --show-depends vmdev_pci) || return
	for module in vdpa vmdev_dirty vmdev_irq vmdev vmdev_pci; do
		grep -qE "/$module\.ko" <<<"$depends" || { echo "no $module in: $depends"; return 1; }
	done
	[ -z "$(enter -- modinfo -k "$1" -F alias vmdev_pci)" ] || { echo "vmdev_pci has aliases"; return 1; }
}

# other_kernel RELEASE SED: headers of a kernel that we must not be built for; no flavour of
# Debian 13 is without vDPA, so those of 6.12 with a changed configuration.
other_kernel() {
	local headers=$ROOT/usr/src/linux-headers-$1

	mkdir -p "$ROOT/lib/modules/$1" "$headers"
	cp -a "$ROOT/usr/src/linux-headers-$r612/." "$headers/"
	# dkms reads the latter, or the former if there is no such file.
	sed -i "$2" "$headers/.config" "$headers/include/config/auto.conf"
	ln -s "/usr/src/linux-headers-$1" "$ROOT/lib/modules/$1/build"
}

# without_mdev RELEASE: all modules but that one.
without_mdev() {
	local files

	dkms_install "$1" || return
	files=$(find "$ROOT/lib/modules/$1/updates/dkms" -name 'vmdev*.ko*' -printf '%f\n' | sed 's/\.ko.*//' | sort | xargs)
	[ "$files" = "vmdev vmdev_ctl vmdev_dirty vmdev_irq vmdev_pci vmdev_soft" ] || { echo "installed: $files"; return 1; }
}

# skipped RELEASE: in dkms's own words, and not a failure for who installs a kernel.
skipped() {
	local out status=0

	out=$(enter -- dkms build "$package" -k "$1" 2>&1) || status=$?
	[ $status = 77 ] || { echo "dkms build: $status, not 77: $out"; return 1; }
	out=$(enter -- dkms autoinstall -k "$1" 2>&1) || { echo "dkms autoinstall failed: $out"; return 1; }
	grep -q skipped <<<"$out" || { echo "dkms autoinstall said: $out"; return 1; }
}

removed() {
	enter -- dkms remove "$package" --all || return
	[ -z "$(enter -- dkms status "$package")" ] || { enter -- dkms status; return 1; }
	[ -z "$(find "$ROOT/lib/modules" -name 'vmdev*.ko*' -path '*/updates/*')" ] || { echo "modules are left"; return 1; }
	! enter -- modinfo -k "$r612" vmdev_pci 2>/dev/null
}

# The build of the VM tests is used if it is there, so that this does not build once more.
make_install() {
	mkdir -p "$built/src" && flock "$built/lock" cp -a "$built/src/." "$work/src/" || return
	rsync -a --delete --filter=':- .gitignore' "$TREE"/{Kbuild,Makefile,dkms.conf,compat,drivers,include} "$work/src/"
	enter "$work/src:/lab/build" -- make -s -j"$(nproc)" -C /lab/build install \
		KDIR="/lib/modules/$r612/build" CC=gcc-14 W=1 VMDEV_WERROR=y
}

tap_plan 14
tap_check "make dkms-source, dkms add" source_installed
for release in "$r612" "$r72"; do
	tap_check "dkms install for $release" dkms_install "$release"
	tap_check "depmod finds the modules of $release" found "$release" dkms/
	tap_check "modprobe vmdev_pci pulls what it needs on $release" pulls "$release"
done
other_kernel 6.12.0-novdpa '/^CONFIG_VDPA=/d'
tap_check "a kernel without CONFIG_VDPA is skipped" skipped 6.12.0-novdpa
other_kernel 6.12.0-nomdev '/^CONFIG_VFIO_MDEV=/d'
tap_check "a kernel without VFIO_MDEV gets all others" without_mdev 6.12.0-nomdev
other_kernel 6.1.0-50-amd64 ''
tap_check "a kernel older than 6.12 is skipped" skipped 6.1.0-50-amd64
tap_check "dkms remove leaves nothing" removed
tap_check "make install" make_install
tap_check "depmod finds what make install installed" found "$r612" drivers/
tap_check "modprobe vmdev_pci pulls what it needs after make install" pulls "$r612"
tap_done
