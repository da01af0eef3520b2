# SPDX-License-Identifier: GPL-2.0
# Sourced by tests of vmdev_mdev, after common.sh: mdevs, their parents and vDPA devices.
# shellcheck shell=bash disable=SC2154	# BDF_* come from lab-run

mdevs=/sys/bus/mdev/devices

# vfs_ours: the PF and three VFs are bound to vmdev_pci.
vfs_ours() {
	local vf

	bind_driver "$BDF_pf0" vmdev_pci &&
		put 0 "/sys/bus/pci/devices/$BDF_pf0/sriov_drivers_autoprobe" &&
		put 3 "/sys/bus/pci/devices/$BDF_pf0/sriov_numvfs" || return
	for vf in "$BDF_vf0_0" "$BDF_vf0_1" "$BDF_vf0_2"; do
		bind_driver "$vf" vmdev_pci || return
	done
}

# --- parents -----------------------------------------------------------------------------
types_dir() { echo "/sys/class/mdev_bus/$1/mdev_supported_types"; }
# types_are PARENT TYPE...
types_are() {
	local have dir

	dir=$(types_dir "$1")
	shift
	have=$(cd "$dir" && echo *)
	echo "$have"
	[ "$have" = "$*" ]
}
# type_says PARENT TYPE FILE PATTERN
type_says() {
	local said

	said=$(cat "$(types_dir "$1")/$2/$3")
	echo "$said"
	[[ $said =~ ^$4$ ]]
}
# available PARENT TYPE N
available() { type_says "$1" "$2" available_instances "$3"; }

# --- mdevs -------------------------------------------------------------------------------
# create PARENT TYPE UUID
create() { put "$3" "$(types_dir "$1")/$2/create"; }
set_attr() { put "$3" "$mdevs/$1/$2"; }
# vdpa_of UUID: its vDPA device in sysfs.
vdpa_of() { echo "/sys/bus/vdpa/devices/mdev-$1"; }
no_vdpa() { [ ! -e "$(vdpa_of "$1")" ]; }
# linked UUID: it has a vDPA device, and each knows the other.
linked() { [ "$mdevs/$1/vdpa" -ef "$(vdpa_of "$1")" ] && [ "$(vdpa_of "$1")/mdev" -ef "$mdevs/$1" ]; }
# gone UUID: removed, and its vDPA device with it.
# What a process had open may take a moment longer.
gone() { put 1 "$mdevs/$1/remove" && [ ! -e "$mdevs/$1" ] && wait_for "no_vdpa $1" 20; }

# --- refusals ----------------------------------------------------------------------------
# errno WORDS CMD...: it fails with the errno of these words.
errno() {
	local output words=$1

	shift
	output=$("$@" 2>&1) && { echo "it succeeded"; return 1; }
	echo "$output"
	[[ $output = *"$words"* ]]
}
# refused WORDS WHY CMD...: and one line says why.
refused() {
	local mark words=$1 why=$2

	shift 2
	mark=$(dmesg_mark)
	errno "$words" "$@" && logged "$mark" 1 "$why"
}
