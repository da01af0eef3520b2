#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Without interrupt remapping a guest could forge interrupts: refused, unless asked for.
# lab: --no-intremap
# limit: 300
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

vf=$BDF_vf0_0
log=/tmp/hold.log
unsafe=/sys/module/vmdev_irq/parameters/allow_unsafe_interrupts

# Each refused or allowed open says so once.
refused() { logged "$1" "$2" "$vf: interrupts are not isolated .no interrupt remapping"; }

facts() { (cd "/sys/bus/pci/devices/$vf/vmdev" && cat msi_isolated msi_remapped msi_posted msi_unsafe | xargs); }

# The same over netlink: words of the tool, and those of JSON that are true.
told() {
	local said

	said=$(/build/tools/vmdev parent show "$vf" | grep -o 'msi_[a-z]*' | xargs)
	echo "$said"
	[ "$said" = "$1" ] && [ "$(/build/tools/vmdev -j parent show "$vf" | python3 -c 'import json, sys
print(*(k for k, v in json.load(sys.stdin)[0].items() if k.startswith("msi_") and v))')" = "$1" ]
}

tap_plan 20
tap_check "virtio_net creates VFs" vf_create "$BDF_pf0" 2
vdpa_setup && modprobe vmdev_ctl
tap_check "the parameter is off" grep N $unsafe
mark=$(dmesg_mark)
tap_check "a device can be added" dev_add v0 "$vf" vhost_vdpa
tap_check "it is told: not isolated, not remapped" [ "$(facts)" = "0 0 0 0" ]
tap_check "by the tool, too" told ""
tap_check "user space cannot run it" not hold $log v0 -r
tap_check "one line says why" refused "$mark" 1
tap_check "nor can it without maps: no byte of the host changes" \
	"$TOOLS/nomap" -d "$(vhost_of v0)"
use_bus v0 virtio_vdpa && net_up "$vf" ns
tap_check "virtio_vdpa works" reach ns

echo 1 >$unsafe
use_bus v0 vhost_vdpa
mark=$(dmesg_mark)
hold $log v0 -t
tap_check "with allow_unsafe_interrupts user space can" grep READY $log
tap_check "a warning says that it was allowed" \
	logged "$mark" 1 "$vf: interrupts are not isolated; allowed by vmdev_irq.allow_unsafe_interrupts"
tap_check "it is told that it was let in" [ "$(facts)" = "0 0 0 1" ]
tap_check "by the tool, too" told msi_unsafe
tap_check "it does send" wait_for "[ \$(stat_of v0 1 interrupts) -gt 0 ]" 20
let_go
use_bus v0 vhost_vdpa
hold $log v0 -r
tap_check "and again" grep READY $log
let_go
tap_check "without another warning" logged "$mark" 1 "interrupts are not isolated"
echo 0 >$unsafe
# Who opened it once has left the default domain until the bus driver lets go.
use_bus v0 vhost_vdpa
mark=$(dmesg_mark)
tap_check "off again: refused when vhost-vdpa gets it anew" not hold $log v0 -r
tap_check "with a line" refused "$mark" 1
tap_check "that it was let in stays to be seen" [ "$(facts)" = "0 0 0 1" ]
vdpa dev del v0
tap_check "a clean kernel log" clean_log
tap_done
