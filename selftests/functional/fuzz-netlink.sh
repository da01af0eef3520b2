#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Random requests to the netlink family, made after its specification (selftests/netlink/fuzz.py):
# by three processes at a time, one of them nobody in particular, while devices come and go and
# one runs.
# lab: --vfs 2
# limit: 500
# kernels: debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

vf0=$BDF_vf0_0 vf1=$BDF_vf0_1
seed=${SEED:-20266} requests=700
[ "${LONG-0}" != 1 ] || { requests=10000; [ -n "$SEED" ] || seed=$(date +%s); }
spec=/vmdev/Documentation/netlink/specs/vmdev.yaml
fuzz() {
	python3 -B /vmdev/selftests/netlink/fuzz.py "$spec" "$1" "$2" v0 s0 b0 c0 "pci/$vf0" "pci/$vf1" \
		vmdev_soft vmdev_soft_blk
}
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups -- \
		python3 -B /vmdev/selftests/netlink/fuzz.py "$spec" "$1" "$2" v0 s0
}
# Devices come and go, also the one that is named c0.
come_and_go() {
	local mgmtdev

	while [ ! -e /tmp/end ]; do
		for mgmtdev in vmdev_soft "pci/$vf1"; do
			vdpa dev add name c0 mgmtdev "$mgmtdev" && vdpa dev del c0 && echo "$mgmtdev" >>/tmp/turns
		done 2>>/out/turns
	done
}
together() {
	local status=0

	rm -f /tmp/end /tmp/turns
	come_and_go &
	local churn=$!
	fuzz "$requests" "$seed" >/out/fuzz.1 2>&1 &
	local first=$!
	as_nobody $((requests / 2)) $((seed + 1)) >/out/nobody 2>&1 &
	local nobody=$!
	fuzz $((requests / 2)) $((seed + 2)) >/out/fuzz.2 2>&1 || status=1
	wait $first || status=1
	wait $nobody || status=1
	touch /tmp/end
	wait $churn
	grep -q vmdev_soft /tmp/turns && grep -q pci/ /tmp/turns || status=1
	sed 's/^/# /' /out/fuzz.1 >&3
	echo "# devices came and went $(wc -l </tmp/turns) times" >&3
	[ $status = 0 ] || cat /out/fuzz.[12] /out/nobody /out/turns
	return $status
}

exec 3>&1
echo "# SEED=$seed, $requests requests by one, half as many by two others"
tap_plan 10
tap_check "VFs" vf_create "$BDF_pf0" 2
tap_check "modules" eval "soft_setup && modprobe vmdev_ctl"
bind_driver "$vf1" vmdev_pci
tap_check "devices" eval "dev_add v0 $vf0 vhost_vdpa && soft_add s0 virtio_vdpa && vdpa dev add name b0 mgmtdev vmdev_soft_blk"
hold /tmp/hold.log v0 -t
tap_check "requests are answered" together
tap_check "the family works" [ "$(vmdev=/build/tools/vmdev; $vmdev dev show | grep -cE '^(v0|s0|b0): ')" = 3 ]
tap_check "the client still has its device" kill -0 "$HOLDER"
let_go
tap_check "devices go" eval "vdpa dev del v0 && vdpa dev del s0 && vdpa dev del b0"
tap_check "modprobe -r" eval "unbind_driver $vf0; unbind_driver $vf1; modprobe -r vmdev_ctl vmdev_soft vmdev_pci vmdev"
tap_check "nobody can fill the log" eval "! dmesg | grep 'truncated extack'"
tap_check "a clean kernel log" clean_log
tap_done
