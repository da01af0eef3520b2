#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vmdev doctor, as a new user would: it names what is wrong, and the command it says mends it.
# (What takes a reboot: doctor-boot.)
# lab: --no-platform-nic --iommu pt --qemu -device --qemu pcie-pci-bridge,id=conv,bus=pcie.0,addr=10.0 --qemu -netdev --qemu user,id=n-conv --qemu -device --qemu virtio-net-pci,bus=conv,addr=1.0,netdev=n-conv,iommu_platform=on,disable-legacy=on,romfile= --qemu -device --qemu virtio-rng-pci,bus=conv,addr=2.0,iommu_platform=on,disable-legacy=on --qemu -netdev --qemu user,id=n-multi --qemu -device --qemu virtio-net-pci,bus=pcie.0,addr=11.0,multifunction=on,netdev=n-multi,iommu_platform=on,disable-legacy=on,romfile= --qemu -device --qemu virtio-rng-pci,bus=pcie.0,addr=11.1,iommu_platform=on,disable-legacy=on
# limit: 300
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/functional/doctor-lib.sh

vf=$BDF_vf0_0
# One of two functions of a device without ACS, and one behind a conventional bridge.
multi=0000:00:11.0
conv=$(cd /sys/bus/pci/devices/0000:00:10.0 && echo 0000:*:01.0)

with_memlock() { (ulimit -l 8192 && "$@"); }
# unlisted MODULE CMD...: as if the kernel had been built without it
unlisted() {
	local index status
	index=/lib/modules/$(uname -r)/modules.dep

	cp "$index" /tmp/modules.dep
	sed -i "/\/$1\.ko[.a-z]*:/d" "$index"
	"${@:2}"
	status=$?
	cp /tmp/modules.dep "$index"
	return $status
}

tap_plan 29
tap_check "a word that makes no sense" exits 2 eth0
tap_check "no memory" exits 2 -m lots
mkdir -p /etc/modprobe.d
echo 'blacklist vhost_vdpa' >/etc/modprobe.d/no-vdpa.conf
tap_check "vhost_vdpa is forbidden" names modules 'vhost_vdpa is not loaded, and /etc/modprobe.d/no-vdpa.conf forbids it'
tap_check "kernel without vhost_vdpa" unlisted vhost_vdpa names modules 'this kernel has no vhost_vdpa'
tap_check "kernel without vDPA" unlisted vdpa names modules 'this kernel has no vdpa'
tap_check "not installed" unlisted vmdev names modules 'vmdev is not installed'
echo 'install vhost_vdpa /bin/false' >/etc/modprobe.d/no-vdpa.conf
tap_check "or made to load nothing" names modules 'no-vdpa.conf forbids it'
tap_check "that mends it" mends modules 'forbids it'
modprobe -r vhost_vdpa
tap_check "nothing takes devices" mends modules 'nothing takes vDPA devices'
tap_check "none of our drivers" mends modules 'neither vmdev_pci'
if [ -e /sys/module/vhost_vdpa/parameters/max_iotlb_entries ]; then
	tap_check "few pieces of memory" mends max-iotlb-entries 'takes 2048 pieces of memory, a guest of 1024 MiB'
	tap_check "more for a larger guest" names max-iotlb-entries 'a guest of 4096 MiB' -m 4G
else
	tap_skip "few pieces of memory" "this vhost_vdpa has no such limit"
	tap_skip "more for a larger guest" "this vhost_vdpa has no such limit"
fi
tap_check "little memory may be pinned" with_memlock mends memlock '^8 MiB may be pinned here.*1024 MiB' -m 1G
tap_check "enough for a small guest" with_memlock absent memlock '' -m 8M
tap_check "VFs are not enabled" names vfs 'its VFs are not enabled, it can have 2'
tap_check "asked for one of them" names vfs "^$BDF_pf0 its VFs" "$vf"
tap_check "that mends it" mends vfs 'it can have 2' "$BDF_pf0"
wait_for "[ -e /sys/bus/pci/devices/$vf/virtio*/net/* ]" 10
ip link set "$(netdev_of "$vf")" up
tap_check "no function is ours" names driver 'no function is bound to vmdev_pci'
tap_check "another driver" mends driver "it is bound to virtio-pci, not to vmdev_pci; its network interface .* is up" "$vf"
tap_check "nothing is wrong any more" exits 0 "$vf"
tap_check "nor with the machine" exits 0
tap_check "it says so" eval "vmdev doctor $vf | grep -x 'nothing wrong was found'"
tap_check "DMA that would bypass the IOMMU" names access-platform 'does not offer ACCESS_PLATFORM' "$BDF_bare0"
tap_check "a shared IOMMU group" mends iommu-group "shares its IOMMU group with 0000:00:11.1, so" $multi
tap_check "it is still there" [ -e /sys/bus/pci/devices/$multi/driver ]
tap_check "shared with a bridge" names iommu-group "shares its IOMMU group with 0000:00:10.0, .*a bridge among them" "$conv"
tap_check "there is no such function" names function 'there is no such PCI function' 7f:1f.7
unbind_driver "$vf" && modprobe -r vmdev_pci vhost_vdpa vdpa
tap_check "anybody may ask" setpriv --reuid=65534 --regid=65534 --clear-groups -- bash -c \
	". /vmdev/selftests/functional/doctor-lib.sh; names modules 'neither vmdev_pci'"
tap_check "a clean kernel log" clean_log
tap_done
