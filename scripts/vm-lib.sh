# SPDX-License-Identifier: GPL-2.0
# Sourced by scripts that run in the VM: TAP, devices, modules, the nested guest.
# shellcheck shell=bash
# shellcheck disable=SC2154
# Functions answer with their status; BDF_pf0, BDF_vf0_1, ... come from lab-run.

# --- TAP ---------------------------------------------------------------------------------
TAP_PASSED=0 TAP_FAILED=0 TAP_SKIPPED=0 TAP_PLAN=

# No process is made for a line: on a debug kernel that takes a second.
TAP_NUMBER=0
tap_plan() { TAP_PLAN=$1; echo "TAP version 14"; echo "1..$1"; }
tap_ok() { TAP_PASSED=$((TAP_PASSED + 1)); echo "ok $((++TAP_NUMBER)) - $1"; }
# tap_not_ok NAME [REASON]
tap_not_ok() {
	TAP_FAILED=$((TAP_FAILED + 1))
	echo "not ok $((++TAP_NUMBER)) - $1"
	[ -z "${2-}" ] || echo "# ${2//$'\n'/$'\n# '}"
}
tap_skip() { TAP_SKIPPED=$((TAP_SKIPPED + 1)); echo "ok $((++TAP_NUMBER)) - $1 # SKIP ${2-}"; }
# tap_check NAME CMD...: ok if CMD succeeds; its output is the reason if not.
tap_check() {
	local name=$1 output

	shift
	if output=$("$@" 2>&1); then tap_ok "$name"; else tap_not_ok "$name" "$* said: $output"; fi
}
# tap_done: the closing line; fails if a test did, or if the plan was not kept.
tap_done() {
	local n=$TAP_NUMBER skipped=

	[ -n "$TAP_PLAN" ] || echo "1..$n"
	if [ "$n" != "${TAP_PLAN:-$n}" ]; then
		tap_not_ok "plan" "planned $TAP_PLAN, ran $n"
	fi
	[ "$TAP_SKIPPED" = 0 ] || skipped=", $TAP_SKIPPED skipped"
	[ "$TAP_FAILED" = 0 ] || nested_died
	echo "$TAP_PASSED passed, $TAP_FAILED failed$skipped"
	[ "$TAP_FAILED" = 0 ]
}

# --- waiting, kernel log -----------------------------------------------------------------
# wait_for CMD SECONDS: until the shell command CMD succeeds; never less than so long, and a second more.
wait_for() {
	local end=$((SECONDS + $2 + 1))

	until eval "$1"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

# mark=$(dmesg_mark); ...; dmesg_since "$mark"
dmesg_mark() {
	local mark="lab-mark-$$-$RANDOM$RANDOM"

	echo "$mark" >/dev/kmsg
	echo "$mark"
}
dmesg_since() { dmesg | sed "1,/$1\$/d"; }
# dmesg_splat [MARK]: print what must never be in the log; succeeds if there is any.
dmesg_splat() {
	if [ $# = 0 ]; then dmesg; else dmesg_since "$1"; fi |
		grep -E '\<BUG\>|Oops|WARNING|DMAR:.*fault|DMAR:.*DRHD: handling|Call Trace|UBSAN|KASAN|kmemleak: [0-9]|INFO: |blocked for more|list_(add|del) corruption|refcount_t'
}

# --- modules -----------------------------------------------------------------------------
# lab-modules made them known to modprobe; vm/init copied them into place.
load_vmdev() { modprobe -a vmdev "${@:-vmdev_pci}"; }
load_peers() { modprobe -a vdpa vhost_vdpa "${@:-vp_vdpa}"; }

# --- PCI functions -----------------------------------------------------------------------
driver_of() { basename "$(readlink "/sys/bus/pci/devices/$1/driver")" 2>/dev/null; }
# has_driver BDF DRIVER: no process is made for that, either.
has_driver() { [ "/sys/bus/pci/devices/$1/driver" -ef "/sys/bus/pci/drivers/$2" ]; }
iommu_group() { basename "$(readlink "/sys/bus/pci/devices/$1/iommu_group")" 2>/dev/null; }

unbind_driver() {
	[ ! -e "/sys/bus/pci/devices/$1/driver" ] || echo "$1" >"/sys/bus/pci/devices/$1/driver/unbind"
}

# bind_driver BDF DRIVER: whatever drives it now, and whatever the driver's ids are.
# The in-tree virtio-pci drives every virtio function at boot, also without a virtio driver.
bind_driver() {
	local dev=/sys/bus/pci/devices/$1

	unbind_driver "$1" || return
	echo "$2" >"$dev/driver_override" || return
	echo "$1" >/sys/bus/pci/drivers_probe || return
	has_driver "$1" "$2"
}

# release_driver BDF: back to the driver that its ids name.
release_driver() {
	unbind_driver "$1"
	echo >"/sys/bus/pci/devices/$1/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
}

# vf_create PF_BDF N: by the in-tree driver, which must have reached DRIVER_OK.
vf_create() {
	modprobe virtio_net || return
	echo "$2" >"/sys/bus/pci/devices/$1/sriov_numvfs" || return
	wait_for "[ -e /sys/bus/pci/devices/$1/virtfn$(($2 - 1))/iommu_group ] ||
		[ ! -d /sys/kernel/iommu_groups/0 ]" 5
}

# name_below PATTERN...: the name of the first that exists.
name_below() {
	local path

	for path; do
		[ -e "$path" ] && { echo "${path##*/}"; return; }
	done
	return 1
}
# netdev_of BDF, block_of BDF: network interface, disk that virtio has on a function.
netdev_of() { name_below "/sys/bus/pci/devices/$1"/virtio*/net/*; }
block_of() { name_below "/sys/bus/pci/devices/$1"/virtio*/block/*; }
# vhost_of NAME: the vhost-vdpa character device of a vDPA device.
vhost_of() {
	local path=("/sys/bus/vdpa/devices/$1"/vhost-vdpa-*)

	echo "/dev/${path[0]##*/}"
}

# vhost_type DEV: network or block.
vhost_type() {
	local dir

	dir=$(echo /sys/bus/vdpa/devices/*/"${1##*/}")
	vdpa dev show "$(basename "$(dirname "$dir")")" | sed -n 's/.* type \([a-z]*\) .*/\1/p'
}

# --- QEMU of the VM itself ---------------------------------------------------------------
# vm_qmp JSON: one command; prints events that came before and the answer.
vm_qmp() {
	local line command

	exec 7<>/dev/virtio-ports/qmp || return
	for command in '{"execute":"qmp_capabilities"}' "$1"; do
		echo "$command" >&7
		while read -r -t 10 line <&7; do
			case $line in
			*'"QMP"'* | *'not found'*CommandNotFound*) ;;
			*'"return"'* | *'"error"'*) break ;;
			*) echo "$line" ;;
			esac
		done
	done
	exec 7>&-
	echo "$line"
	[[ $line == *'"return"'* ]]
}

# unplug ID: what a person does with the attention button: the guest lets go first.
unplug() { vm_qmp "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"$1\"}}"; }

# surprise_remove BDF: all functions of its slot go at once, drivers still bound. QEMU takes
# a device out when its slot's power and power indicator go off. Hotplug interrupts are off
# until power is back, or pciehp would take the slot for one that it had switched off itself.
# Config space then reads all-ones, but QEMU reads 0 from a BAR that is gone.
surprise_remove() {
	local port

	port=$(basename "$(dirname "$(readlink -f "/sys/bus/pci/devices/$1")")")
	setpci -s "$port" CAP_EXP+18.w=0700:0720 CAP_EXP+18.w=0120:0720
}

# --- the nested guest --------------------------------------------------------------------
# nested_start LOG VHOST_DEV...: a stock QEMU with a Debian kernel; its pid in NESTED_PID.
# Variables: NESTED_CMDLINE (see vm/nested-init), NESTED_ACCEL (kvm), NESTED_QEMU (more
# arguments, an array), NESTED_NETDEV and NESTED_NIC (more properties, with a leading comma).
nested_start() {
	local log=$1 args=() n=0 accel=${NESTED_ACCEL:-kvm}

	shift
	if [ "$accel" = kvm ]; then
		modprobe kvm_amd || return
		[ -c /dev/kvm ] || { echo "no nested KVM" >&2; return 1; }
	fi
	for dev; do
		if [ "$(vhost_type "$dev")" = block ]; then
			args+=(-device "vhost-vdpa-device-pci,id=dev$n,vhostdev=$dev")
		else
			args+=(-netdev "vhost-vdpa,id=n$n,vhostdev=$dev${NESTED_NETDEV-}"
				-device "virtio-net-pci,id=nic$n,netdev=n$n,romfile=,disable-legacy=on${NESTED_NIC-}")
		fi
		n=$((n + 1))
	done
	ulimit -l unlimited
	echo "$log" >>/tmp/nested.logs
	qemu-system-x86_64 -accel "$accel" -cpu max -M q35 -m 256 -nodefaults -display none \
		-no-reboot -serial stdio -kernel /boot/vmlinux -initrd /boot/initrd \
		-append "console=ttyS0 quiet panic=-1 nokaslr no_timer_check ${NESTED_CMDLINE-}" \
		"${args[@]}" "${NESTED_QEMU[@]}" </dev/null >"$log" 2>&1 &
	NESTED_PID=$!
}

# with_libraries DIR FILE...: what they need to run in a root that is DIR.
with_libraries() {
	local dir=$1 lib

	shift
	ldd "$@" | grep -o '/[^ ]*' | sort -u | while read -r lib; do
		[ -e "$dir$lib" ] || install -D "$(readlink -f "$lib")" "$dir$lib"
	done
}

# nested_died: say so if KVM gave up one of the guests, for scripts/check.
nested_died() {
	local log

	[ -f /tmp/nested.logs ] || return 0
	while read -r log; do
		grep -ahs -m1 'KVM internal error' "$log" | sed 's/^/# nested guest: /'
	done </tmp/nested.logs
}

# nested_silent WORD PID LOG: say so, for scripts/check, if that QEMU is there, and its guest did not get as
# far as to say WORD.
nested_silent() {
	! kill -0 "$2" 2>/dev/null || grep -aqs -- "$1" "$3" || echo "nested guest: time limit"
}

# run_nested_guest VHOST_DEV...: boot it, show what it reported and what QEMU said; succeeds
# if it got to its end and each ping lost nothing. NESTED_LIMIT: seconds (240). One that KVM
# gave up, as it does on an emulated SVM now and then, is begun anew, twice.
run_nested_guest() {
	local log round

	for round in 1 2 3; do
		log=$(mktemp /tmp/nested.XXXXXX)
		nested_start "$log" "$@" || return
		wait_for "! kill -0 $NESTED_PID 2>/dev/null || grep -aqs 'KVM internal error' $log" \
			"${NESTED_LIMIT:-240}"
		if [ "$round" = 3 ] || ! grep -aqs 'KVM internal error' "$log"; then
			break
		fi
		echo "another guest, for KVM gave up this one: $(grep -a -A2 'KVM internal error' "$log")" >&2
		kill "$NESTED_PID"
		wait "$NESTED_PID"
		# What it died of is no reason for what becomes of the next one (nested_died).
		rm "$log"
	done
	if kill -0 "$NESTED_PID" 2>/dev/null; then
		kill -KILL "$NESTED_PID"
		echo "nested guest: time limit; its output ends:" >&2
		tail -n 20 "$log" >&2
		return 1
	fi
	wait "$NESTED_PID"
	grep -E 'NESTED:|qemu-system|vhost|vdpa' "$log"
	grep -q 'NESTED: done' "$log" && ! grep -E 'NESTED: (ping|blk)' "$log" | grep -qvE ' 0% loss| ok'
}
