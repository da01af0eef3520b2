#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Without a NIC: a stock QEMU guest reaches the host's bridge through a device of vmdev_soft.
# Runs in the VM: make demo-soft
# lab: --vfs 0
# long-kernels: 7.2 debug
# shellcheck source=/dev/null
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

# A line of make demo-soft's summary.
fact() { echo "# fact: $1: $2"; }

bridge() { ip link add br0 type bridge && ip addr add 10.0.2.2/24 dev br0 && ip link set br0 up; }
plugged() { ip link set "$(port soft0)" master br0 up; }
nested() {
	run_nested_guest "$(vhost_of soft0)" >/out/nested.log 2>&1
	grep -q "ping 0% loss" /out/nested.log && ! grep -q "ring restore failed" /out/nested.log
}

tap_plan 9
tap_check "a bridge of the host's, 10.0.2.2" bridge
tap_check "modprobe vmdev_soft" load_vmdev vmdev_soft
modprobe vhost_vdpa
tap_check "vdpa dev add name soft0 mgmtdev vmdev_soft" vdpa dev add name soft0 mgmtdev vmdev_soft
tap_check "vhost-vdpa serves it" wait_for "[ -c \"\$(vhost_of soft0)\" ]" 5
tap_check "its port joins the bridge" plugged
fact VM "Linux $(uname -r)"
fact device "$(vdpa dev show soft0)"
fact config "$(vdpa dev config show soft0)"
fact port "$(ip -br link show dev "$(port soft0)" | tr -s ' ')"
fact guest "$(qemu-system-x86_64 --version | head -n 1), -netdev vhost-vdpa,vhostdev=$(vhost_of soft0)"
tap_check "a stock QEMU guest pings the bridge, 0% loss" nested
sed 's/^/# /' /out/nested.log
fact ping "$(tr -d '\r' </out/nested.log | sed -n 's/^NESTED: ping //p'), from the guest through its port to 10.0.2.2"
fact "port" "$(ethtool -S "$(port soft0)" | awk '/[rt]x0_packets/ { printf "%s %s  ", $1, $2 }')"
tap_check "vdpa dev del" vdpa dev del soft0
tap_check "modprobe -r vmdev_soft" modprobe -r vmdev_soft
if splat=$(dmesg_splat); then tap_not_ok "a clean kernel log" "$splat"; else tap_ok "a clean kernel log"; fi
tap_done
