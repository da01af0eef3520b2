#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vmdev doctor on machines that were booted wrong. case= is for us, the kernel does not know it.
# lab: --iommu off --append case=none
# lab: --append 'intel_iommu=off case=off'
# lab: --no-intremap --append case=intremap
# lab: --append 'module.sig_enforce=1 case=signed'
# limit: 200
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/functional/doctor-lib.sh

booted=$(grep -o 'case=[a-z]*' /proc/cmdline)
# command_is CHECK REGEX
command_is() {
	mend "$1" '' | grep -xE -- "$2" && return
	findings
	return 1
}

case ${booted#case=} in
none)
	tap_plan 5
	tap_check "no IOMMU at all" names iommu 'firmware shows none, enable VT-d or AMD-Vi'
	tap_check "the command" command_is iommu 'systemctl reboot --firmware-setup'
	tap_check "software devices need none" eval "modprobe vmdev_soft && absent iommu ''"
	tap_check "a function does" names iommu 'firmware shows none' "$BDF_pf0"
	;;
off)
	tap_plan 3
	tap_check "an IOMMU that is not used" names iommu 'booted with intel_iommu=off'
	tap_check "the command" command_is iommu 'sed -i .*intel_iommu=off.* /etc/default/grub && update-grub && reboot'
	;;
intremap)
	tap_plan 5
	tap_check "interrupts are not isolated" names isolation 'no interrupt remapping, enable it in firmware'
	tap_check "the command" command_is isolation 'systemctl reboot --firmware-setup'
	modprobe vmdev_pci
	echo 1 >/sys/module/vmdev_irq/parameters/allow_unsafe_interrupts
	tap_check "where that is allowed it is not wrong" absent isolation ''
	tap_check "the IOMMU is there" absent iommu ''
	;;
signed)
	tap_plan 4
	tap_check "a module without a signature is refused" not modprobe vmdev_pci
	tap_check "why it is" names secure-boot 'the kernel takes signed modules only .Secure Boot., and vmdev is not signed'
	tap_check "the command" command_is secure-boot 'mokutil --import /var/lib/dkms/mok.pub && dkms install.* && reboot'
	;;
esac
tap_check "a clean kernel log" clean_log
tap_done
