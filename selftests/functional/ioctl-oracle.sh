#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The same client against an in-tree parent: what fails here is wrong in the client.
# lab: --pfs 0
# kernels: 6.12
# limit: 300
# shellcheck source=/dev/null
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

ioctl=$TOOLS/vhost_vdpa_ioctl

tap_plan $(($("$ioctl" --list | wc -l) + 2))
tap_check "the simulator loads" load_peers vdpa_sim_net
vdpa dev add name s0 mgmtdev vdpasim_net
wait_for "[ -c \"\$(vhost_of s0)\" ]" 5
tap_adopt "sim" "$ioctl" -d "$(vhost_of s0)" --oracle --loopback
vdpa dev del s0
tap_check "a clean kernel log" clean_log
tap_done
