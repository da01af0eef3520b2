#!/bin/bash
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
eval "$(sed -n '/^soft_add()/,/^gone()/p' /vmdev/selftests/functional/soft.sh)"
vdpa_setup
modprobe vmdev_soft
two; bridged
ip netns exec g0 ping -c 2 -W 2 10.9.0.1
vdpa dev config show
cat /sys/bus/vdpa/devices/s0/vmdev/paths
vdpa dev vstats show s0 qidx 0; vdpa dev vstats show s0 qidx 1
ip -s -n sw link show s0
ip -s -n g0 link show eth0
ip -n g0 neigh; ip -n sw neigh
dmesg | tail -3
tap_plan 1
tap_check x true
tap_done
